// Reading a file of tensors out of memory that ends where the file does, and what has to hold of
// every tensor in it.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "fuzz/check.h"
#include "weights/tensor_store.h"

namespace embedding {

using TensorReader = Result<TensorMap> (*)(std::span<const std::byte>);

inline void CheckTensors(TensorReader read, std::string_view file) {
  const std::unique_ptr<std::byte[]> copy(new std::byte[file.size()]);
  if (!file.empty()) std::memcpy(copy.get(), file.data(), file.size());
  const std::span<const std::byte> bytes(copy.get(), file.size());
  const Result<TensorMap> tensors = read(bytes);
  if (!tensors.ok()) return CheckModelError(tensors.error());
  for (const auto& [name, tensor] : *tensors) {
    size_t elements = 1;
    for (const int64_t n : tensor.shape) {
      FUZZ_CHECK(n >= 0);
      FUZZ_CHECK(!__builtin_mul_overflow(elements, static_cast<size_t>(n), &elements));
    }
    FUZZ_CHECK(tensor.elements() == elements);
    FUZZ_CHECK(tensor.bytes.size() == elements * DTypeBytes(tensor.dtype));
    FUZZ_CHECK(tensor.copy == nullptr || tensor.bytes.data() == tensor.copy->data());
    FUZZ_CHECK(tensor.bytes.empty() || tensor.copy != nullptr ||
               (tensor.bytes.data() >= bytes.data() &&
                tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + bytes.size()));
    FUZZ_CHECK(IsUtf8(name));
  }
}

}  // namespace embedding
