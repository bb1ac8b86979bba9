// safetensors: a JSON header that names tensors, then their bytes.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "weights/tensor_store.h"

namespace embedding {

// The tensors of a whole file's bytes, as views into them.
// Errors: kModelLoad, saying what is wrong and with which tensor, but not the file's name.
Result<TensorMap> ReadSafetensors(std::span<const std::byte> file);

}  // namespace embedding
