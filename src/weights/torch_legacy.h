// What torch.save wrote before PyTorch 1.6: pickles in a row (a magic number, a version, the
// machine, the dictionary of tensors, the list of storages' keys), and behind them each storage as
// its number of elements and their bytes.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "weights/tensor_store.h"

namespace embedding {

bool IsLegacyTorchFile(std::span<const std::byte> file);

// The tensors of such a file, of a little-endian machine: see ReadStateDict. Errors: kModelLoad.
Result<TensorMap> ReadLegacyTorchFile(std::span<const std::byte> file);

}  // namespace embedding
