// A restricted reader of Python pickles: data comes out, no code runs.
//
// A pickle is a program for a small stack machine, and Python's own reader runs whatever function
// it names. This one knows the opcodes that dictionaries of tensors need, accepts only the names it
// is given, and calls nothing: a call becomes a value that says who would be called with what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding {

// A module-level name that a pickle may mention, and what REDUCE makes of it.
struct PickleGlobal {
  enum class Use {
    kNameOnly,   // may be mentioned, not called
    kCall,       // a call of it becomes a kCall value
    kEmptyDict,  // a call of it without arguments is an empty dictionary
  };
  std::string_view name;  // "collections.OrderedDict"
  Use use = Use::kNameOnly;
};

enum class PickleKind : uint8_t {
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kTuple,
  kList,
  kDict,
  kGlobal,
  kPersistentId,
  kCall,
};

// "a string", for error messages.
std::string_view PickleKindName(PickleKind kind);

// Index of a value in its document. Values refer to one another by index, so a pickle that ties
// them into a cycle leaks nothing; who follows references must not do so without bound.
using PickleId = uint32_t;

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;    // kInt, kBool
  std::string_view text;  // kString: valid UTF-8, a view into the pickle; kGlobal: its name
  // kTuple, kList: the elements. kDict: key, value, key, value, ...; a key may be there twice.
  // kPersistentId: the id. kCall: the global, the tuple of arguments.
  std::vector<PickleId> items;
};

struct PickleDocument {
  std::vector<PickleValue> values;
  PickleId root = 0;

  const PickleValue& operator[](PickleId id) const { return values[id]; }
};

// Interprets a whole pickle of protocol 2 to 5. Time and memory are proportional to its size, which
// may be at most 4 MiB.
// Errors: kModelLoad, with the byte before which it happened: truncated, an opcode or a global that
// is not allowed (by name), a stack that runs empty.
Result<PickleDocument> ReadPickle(std::span<const std::byte> pickle,
                                  std::span<const PickleGlobal> globals);
// The same for a pickle that others may follow: it is taken off the front of `input`.
Result<PickleDocument> ReadFirstPickle(std::span<const std::byte>& input,
                                       std::span<const PickleGlobal> globals);

}  // namespace embedding
