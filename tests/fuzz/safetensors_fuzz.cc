// safetensors files. The mutator changes the header or the data and writes the header's length
// anew, without which nearly every change of the header would only be a wrong length.
#include "weights/safetensors.h"

#include <algorithm>
#include <string>

#include "fuzz/tensors.h"
#include "weights/little_endian.h"

namespace {

using embedding::AsString;

constexpr size_t kLengthBytes = sizeof(uint64_t);

// `part` after a mutation, of at most `max_size` bytes.
std::string Mutated(std::string part, size_t max_size) {
  const size_t size = std::min(part.size(), max_size);
  part.resize(max_size);
  part.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(part.data()), size, max_size));
  return part;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  uint64_t length = 0;
  if (size > kLengthBytes) std::memcpy(&length, data, kLengthBytes);
  if (seed % 8 == 0 || length == 0 || length > size - kLengthBytes || max_size <= size) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::string header(AsString(data + kLengthBytes, length));
  std::string tensors(AsString(data + kLengthBytes + length, size - kLengthBytes - length));
  if (seed % 8 == 1) {
    tensors = Mutated(std::move(tensors), max_size - kLengthBytes - header.size());
  } else {
    header = Mutated(std::move(header), max_size - kLengthBytes - tensors.size());
  }
  length = header.size();
  std::memcpy(data, &length, kLengthBytes);
  std::copy(header.begin(), header.end(), data + kLengthBytes);
  std::copy(tensors.begin(), tensors.end(), data + kLengthBytes + header.size());
  return kLengthBytes + header.size() + tensors.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  embedding::CheckTensors(&embedding::ReadSafetensors, AsString(data, size));
  return 0;
}
