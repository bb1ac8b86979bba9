// The dictionary of tensors that torch.save pickles, whatever file it is in.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "weights/pickle.h"
#include "weights/tensor_store.h"

namespace embedding {

// The bytes of each storage by its key.
using TorchStorages = std::map<std::string, std::span<const std::byte>, std::less<>>;

// What such a pickle may mention.
std::vector<PickleGlobal> TorchGlobals();

// The bytes of an element of each storage that the pickle mentions, by its key. Errors: kModelLoad.
Result<std::map<std::string, size_t>> StorageElementBytes(const PickleDocument& pickle);

// The tensors, as views into their storages, or as copies where they are not row-major there. The
// pickle holds a dictionary of tensors, or one whose "state_dict" is such a dictionary. Errors:
// kModelLoad, saying what is wrong and with which tensor.
Result<TensorMap> ReadStateDict(const PickleDocument& pickle, const TorchStorages& storages);

}  // namespace embedding
