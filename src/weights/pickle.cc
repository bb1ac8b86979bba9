#include "weights/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "weights/model_error.h"
#include "weights/pickle_machine.h"

namespace embedding {
namespace {

constexpr size_t kMaxPickleBytes = size_t{4} << 20;  // 35,000 tensors

Result<PickleDocument> Run(PickleMachine& machine) {
  while (true) {
    ASSIGN_OR_RETURN(const auto opcode, machine.input.TakeNumber<uint8_t>());
    if (opcode == kPickleStop) break;
    RETURN_IF_ERROR(ExecuteOpcode(opcode, machine));
  }
  return std::move(machine.stack).Finish();
}

}  // namespace

std::string_view PickleKindName(PickleKind kind) {
  constexpr std::string_view kNames[] = {"None",
                                         "a bool",
                                         "an integer",
                                         "a float",
                                         "a string",
                                         "a tuple",
                                         "a list",
                                         "a dictionary",
                                         "a global name",
                                         "a persistent id",
                                         "the result of a call"};
  return kNames[static_cast<size_t>(kind)];
}

Result<PickleDocument> ReadFirstPickle(std::span<const std::byte>& input,
                                       std::span<const PickleGlobal> globals) {
  const std::span<const std::byte> pickle = input.first(std::min(input.size(), kMaxPickleBytes));
  PickleMachine machine{.input = PickleInput(pickle), .stack = {}, .globals = globals};
  Result<PickleDocument> document = Run(machine);
  const size_t position = pickle.size() - machine.input.size_bytes();
  if (document.ok()) {
    input = input.subspan(position);
    return document;
  }
  if (input.size() > pickle.size() && machine.input.size_bytes() == 0) {
    return ModelError("a pickle of more than {} bytes is too large", kMaxPickleBytes);
  }
  return std::move(document).error().At(fmt::format("before byte {}", position));
}

Result<PickleDocument> ReadPickle(std::span<const std::byte> pickle,
                                  std::span<const PickleGlobal> globals) {
  if (pickle.size() > kMaxPickleBytes) {
    return ModelError("a pickle of {} bytes is too large, at most {} are read", pickle.size(),
                      kMaxPickleBytes);
  }
  std::span<const std::byte> rest = pickle;
  ASSIGN_OR_RETURN(PickleDocument document, ReadFirstPickle(rest, globals));
  if (!rest.empty()) {
    return ModelError("before byte {}: {} bytes after the pickle's end",
                      pickle.size() - rest.size(), rest.size());
  }
  return document;
}

}  // namespace embedding
