// PickleMachine: what a pickle is a program for, and the execution of one opcode. See pickle.h.
//
// The machine has a stack of values, a stack of marks (positions in the stack of values) and a memo
// (a table of values). An opcode makes at most one value and pushes at most one reference, and all
// that a container takes over it takes from the stack. So there are never more values and
// references than bytes read: the shared structure by which a small pickle describes an
// exponentially large object stays shared, because nothing is copied and nothing is expanded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "weights/little_endian.h"
#include "weights/model_error.h"
#include "weights/pickle.h"
#include "weights/pickle_stack.h"

namespace embedding {

// The bytes not read yet.
class PickleInput {
 public:
  explicit PickleInput(std::span<const std::byte> bytes) : rest_(bytes) {}

  size_t size_bytes() const { return rest_.size(); }

  Result<std::span<const std::byte>> Take(uint64_t size_bytes) {
    if (size_bytes > rest_.size()) return Truncated();
    const auto bytes = rest_.first(size_bytes);
    rest_ = rest_.subspan(size_bytes);
    return bytes;
  }

  template <typename T>
  Result<T> TakeNumber() {
    ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, Take(sizeof(T)));
    return LoadLittleEndian<T>(bytes, 0);
  }

  Result<std::string_view> TakeLine() {
    const size_t length = AsText(rest_).find('\n');
    if (length == std::string_view::npos) return Truncated();
    const std::string_view line = AsText(rest_).substr(0, length);
    rest_ = rest_.subspan(length + 1);
    return line;
  }

 private:
  static Error Truncated() { return ModelError("the pickle is truncated"); }

  std::span<const std::byte> rest_;
};

struct PickleMachine {
  PickleInput input;
  PickleStack stack;
  std::span<const PickleGlobal> globals;
};

// The opcode that ends the run: not one to execute.
inline constexpr uint8_t kPickleStop = '.';

// Errors: kModelLoad for an opcode that is not allowed or does not fit what is there.
Status ExecuteOpcode(uint8_t opcode, PickleMachine& machine);

}  // namespace embedding
