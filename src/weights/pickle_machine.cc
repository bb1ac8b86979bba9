#include "weights/pickle_machine.h"

#include <array>
#include <string_view>

#include "base/utf8.h"

namespace embedding {
namespace {

// --- scalars

template <typename T>
Status PushInteger(PickleMachine& m) {
  ASSIGN_OR_RETURN(const auto value, m.input.TakeNumber<T>());
  return m.stack.Push(PickleKind::kInt, value);
}

// Little-endian two's complement of up to 255 bytes.
Status PushLong(PickleMachine& m) {
  ASSIGN_OR_RETURN(const auto size_bytes, m.input.TakeNumber<uint8_t>());
  ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, m.input.Take(size_bytes));
  if (size_bytes > sizeof(int64_t)) return ModelError("an integer is beyond 64 bits");
  uint64_t value = 0;
  for (size_t i = 0; i < size_bytes; ++i) value |= std::to_integer<uint64_t>(bytes[i]) << (8 * i);
  const bool negative = size_bytes > 0 && (bytes.back() & std::byte{0x80}) != std::byte{0};
  if (negative && size_bytes < sizeof(value)) value |= ~uint64_t{0} << (8 * size_bytes);
  return m.stack.Push(PickleKind::kInt, static_cast<int64_t>(value));
}

Status PushFloat(PickleMachine& m) {
  RETURN_IF_ERROR(m.input.Take(sizeof(double)));
  return m.stack.Push(PickleKind::kFloat);
}

template <typename Length>
Status PushString(PickleMachine& m) {
  ASSIGN_OR_RETURN(const auto size_bytes, m.input.TakeNumber<Length>());
  ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, m.input.Take(size_bytes));
  const std::string_view text = AsText(bytes);
  if (FindInvalidUtf8(text) != std::string_view::npos) {
    return ModelError("a string is not valid UTF-8: {}", Quoted(text));
  }
  return m.stack.Push(PickleKind::kString, 0, text);
}

// --- the memo

template <typename Index>
Status Memoize(PickleMachine& m) {
  ASSIGN_OR_RETURN(const auto index, m.input.TakeNumber<Index>());
  return m.stack.Memoize(index);
}

template <typename Index>
Status Recall(PickleMachine& m) {
  ASSIGN_OR_RETURN(const auto index, m.input.TakeNumber<Index>());
  return m.stack.Recall(index);
}

// --- names and calls

Status PushGlobal(PickleMachine& m, std::string_view module, std::string_view name) {
  for (size_t i = 0; i < m.globals.size(); ++i) {
    const std::string_view known = m.globals[i].name;
    if (known.size() == module.size() + 1 + name.size() && known.starts_with(module) &&
        known[module.size()] == '.' && known.ends_with(name)) {
      return m.stack.Push(PickleKind::kGlobal, static_cast<int64_t>(i), known);
    }
  }
  return ModelError("refuses {}.{}, which no file of tensors needs", Printable(module, 120),
                    Printable(name, 120));
}

Status GlobalFromLines(PickleMachine& m) {
  ASSIGN_OR_RETURN(const std::string_view module, m.input.TakeLine());
  ASSIGN_OR_RETURN(const std::string_view name, m.input.TakeLine());
  return PushGlobal(m, module, name);
}

Status GlobalFromStack(PickleMachine& m) {
  RETURN_IF_ERROR(m.stack.Require(2));
  const PickleValue& module = m.stack.Top(1);
  const PickleValue& name = m.stack.Top(0);
  if (module.kind != PickleKind::kString || name.kind != PickleKind::kString) {
    return ModelError("STACK_GLOBAL needs two strings, but finds {} and {}",
                      PickleKindName(module.kind), PickleKindName(name.kind));
  }
  RETURN_IF_ERROR(m.stack.Pop(2));  // the values stay
  return PushGlobal(m, module.text, name.text);
}

Status Reduce(PickleMachine& m) {
  RETURN_IF_ERROR(m.stack.Require(2));
  const PickleValue& callee = m.stack.Top(1);
  const PickleValue& arguments = m.stack.Top(0);
  if (callee.kind != PickleKind::kGlobal || arguments.kind != PickleKind::kTuple) {
    return ModelError("refuses to call {} with {}", PickleKindName(callee.kind),
                      PickleKindName(arguments.kind));
  }
  const PickleGlobal& global = m.globals[static_cast<size_t>(callee.integer)];
  switch (global.use) {
    case PickleGlobal::Use::kNameOnly:
      return ModelError("refuses to call {}", global.name);
    case PickleGlobal::Use::kCall:
      return m.stack.Push(PickleKind::kCall, 0, {}, m.stack.TakeTop(2));
    case PickleGlobal::Use::kEmptyDict:
      if (!arguments.items.empty()) return ModelError("refuses {} with arguments", global.name);
      RETURN_IF_ERROR(m.stack.Pop(2));
      return m.stack.Push(PickleKind::kDict);
  }
  return ModelError("refuses to call {}", global.name);
}

// A state dict carries its versions as an attribute. Attributes of dictionaries are dropped;
// nothing else here could have any.
Status Build(PickleMachine& m) {
  RETURN_IF_ERROR(m.stack.Require(2));
  if (m.stack.Top(1).kind != PickleKind::kDict) {
    return ModelError("refuses to set the state of {}", PickleKindName(m.stack.Top(1).kind));
  }
  return m.stack.Pop(1);
}

Status PersistentId(PickleMachine& m) {
  RETURN_IF_ERROR(m.stack.Require(1));
  return m.stack.Push(PickleKind::kPersistentId, 0, {}, m.stack.TakeTop(1));
}

// --- the frame of the whole

Status Protocol(PickleMachine& m) {
  ASSIGN_OR_RETURN(const auto protocol, m.input.TakeNumber<uint8_t>());
  if (protocol < 2 || protocol > 5) {
    return ModelError("pickle protocol {} is not supported, only 2 to 5 are", protocol);
  }
  return {};
}

// How many bytes the pickler wrote at once: a hint for reading from a stream.
Status Frame(PickleMachine& m) {
  RETURN_IF_ERROR(m.input.Take(sizeof(uint64_t)));
  return {};
}

// An opcode by Python's name for it, and what it does; nullptr where it is refused.
struct Instruction {
  uint8_t opcode = 0;
  std::string_view name;
  Status (*execute)(PickleMachine&) = nullptr;
};

// clang-format off
constexpr Instruction kInstructions[] = {
    {0x80, "PROTO", Protocol},
    {0x95, "FRAME", Frame},

    {'N', "NONE", [](PickleMachine& m) { return m.stack.Push(PickleKind::kNone); }},
    {0x88, "NEWTRUE", [](PickleMachine& m) { return m.stack.Push(PickleKind::kBool, 1); }},
    {0x89, "NEWFALSE", [](PickleMachine& m) { return m.stack.Push(PickleKind::kBool, 0); }},
    {'K', "BININT1", PushInteger<uint8_t>},
    {'M', "BININT2", PushInteger<uint16_t>},
    {'J', "BININT", PushInteger<int32_t>},
    {0x8a, "LONG1", PushLong},
    {'G', "BINFLOAT", PushFloat},
    {0x8c, "SHORT_BINUNICODE", PushString<uint8_t>},
    {'X', "BINUNICODE", PushString<uint32_t>},
    {0x8d, "BINUNICODE8", PushString<uint64_t>},

    {')', "EMPTY_TUPLE", [](PickleMachine& m) { return m.stack.Push(PickleKind::kTuple); }},
    {']', "EMPTY_LIST", [](PickleMachine& m) { return m.stack.Push(PickleKind::kList); }},
    {'}', "EMPTY_DICT", [](PickleMachine& m) { return m.stack.Push(PickleKind::kDict); }},
    {0x85, "TUPLE1", [](PickleMachine& m) { return m.stack.MakeTuple(1); }},
    {0x86, "TUPLE2", [](PickleMachine& m) { return m.stack.MakeTuple(2); }},
    {0x87, "TUPLE3", [](PickleMachine& m) { return m.stack.MakeTuple(3); }},
    {'t', "TUPLE", [](PickleMachine& m) { return m.stack.MakeTupleToMark(); }},
    {'a', "APPEND", [](PickleMachine& m) { return m.stack.Extend(PickleKind::kList, 1); }},
    {'s', "SETITEM", [](PickleMachine& m) { return m.stack.Extend(PickleKind::kDict, 2); }},
    {'e', "APPENDS", [](PickleMachine& m) { return m.stack.ExtendToMark(PickleKind::kList); }},
    {'u', "SETITEMS", [](PickleMachine& m) { return m.stack.ExtendToMark(PickleKind::kDict); }},

    {'(', "MARK", [](PickleMachine& m) { return m.stack.PushMark(); }},
    {'0', "POP", [](PickleMachine& m) { return m.stack.PopValueOrMark(); }},
    {'1', "POP_MARK", [](PickleMachine& m) { return m.stack.PopMark(); }},
    {'q', "BINPUT", Memoize<uint8_t>},
    {'r', "LONG_BINPUT", Memoize<uint32_t>},
    {0x94, "MEMOIZE", [](PickleMachine& m) { return m.stack.MemoizeNext(); }},
    {'h', "BINGET", Recall<uint8_t>},
    {'j', "LONG_BINGET", Recall<uint32_t>},

    {'c', "GLOBAL", GlobalFromLines},
    {0x93, "STACK_GLOBAL", GlobalFromStack},
    {'R', "REDUCE", Reduce},
    {'b', "BUILD", Build},
    {'Q', "BINPERSID", PersistentId},

    {'2', "DUP"}, {'F', "FLOAT"}, {'I', "INT"}, {'L', "LONG"}, {0x8b, "LONG4"}, {'P', "PERSID"},
    {'S', "STRING"}, {'T', "BINSTRING"}, {'U', "SHORT_BINSTRING"}, {'V', "UNICODE"}, {'d', "DICT"},
    {'l', "LIST"}, {'g', "GET"}, {'p', "PUT"}, {'i', "INST"}, {'o', "OBJ"}, {'B', "BINBYTES"},
    {'C', "SHORT_BINBYTES"}, {0x8e, "BINBYTES8"}, {0x96, "BYTEARRAY8"}, {0x81, "NEWOBJ"},
    {0x92, "NEWOBJ_EX"}, {0x82, "EXT1"}, {0x83, "EXT2"}, {0x84, "EXT4"}, {0x8f, "EMPTY_SET"},
    {0x90, "ADDITEMS"}, {0x91, "FROZENSET"}, {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"},
};
// clang-format on

constexpr auto kByOpcode = [] {
  std::array<const Instruction*, 256> index{};
  for (const Instruction& instruction : kInstructions) index[instruction.opcode] = &instruction;
  return index;
}();

}  // namespace

Status ExecuteOpcode(uint8_t opcode, PickleMachine& machine) {
  const Instruction* instruction = kByOpcode[opcode];
  if (instruction == nullptr) return ModelError("0x{:02x} is not an opcode", opcode);
  if (instruction->execute == nullptr) {
    return ModelError("refuses the opcode {}, which no file of tensors needs", instruction->name);
  }
  return instruction->execute(machine);
}

}  // namespace embedding
