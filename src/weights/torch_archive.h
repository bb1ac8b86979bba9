// What torch.save writes: since PyTorch 1.6 a zip archive of a pickle and of the tensors' storages,
// before that the same one after the other (torch_legacy.h).
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "weights/tensor_store.h"

namespace embedding {

// The tensors of a whole file's bytes: see ReadStateDict. Tensors may share a storage.
// Errors: kModelLoad, saying what is wrong and with which tensor, but not the file's name.
Result<TensorMap> ReadTorchArchive(std::span<const std::byte> file);

}  // namespace embedding
