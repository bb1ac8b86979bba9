// PickleStack: the state of the machine that a pickle is a program for, and the operations on it
// that do not depend on how opcodes are written. See pickle.h.
//
// Status is an error where a program takes what is not there: kModelLoad, saying so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "weights/pickle.h"

namespace embedding {

class PickleStack {
 public:
  Status Push(PickleKind kind, int64_t integer = 0, std::string_view text = {},
              std::vector<PickleId> items = {});
  Status Pop(size_t values);

  // A mark hides what is below it until it is gone.
  Status PushMark();
  // Drops the last mark and what is above it.
  Status PopMark();
  // Drops the top value, or the last mark where nothing is above it.
  Status PopValueOrMark();

  // Whether `values` can be taken; Top and TakeTop ask for that first.
  Status Require(size_t values) const;
  const PickleValue& Top(size_t depth) const {
    return document_[stack_[stack_.size() - 1 - depth]];
  }
  // Takes the top `values` references off the stack, the topmost last.
  std::vector<PickleId> TakeTop(size_t values);

  // Makes a tuple of the top `values`, or of what is above the last mark, which goes.
  Status MakeTuple(size_t values);
  Status MakeTupleToMark();
  // Adds the top `values`, or what is above the last mark, to the list or dictionary below them.
  Status Extend(PickleKind kind, size_t values);
  Status ExtendToMark(PickleKind kind);

  Status Memoize(uint32_t index);
  Status MemoizeNext() { return Memoize(static_cast<uint32_t>(memo_.size())); }
  Status Recall(uint32_t index);

  // All values, with the one that is left on the stack as their root.
  Result<PickleDocument> Finish() &&;

 private:
  // Removes the last mark, leaving what is above it; gives how many values that is.
  Result<size_t> CloseMark();

  PickleDocument document_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;  // sizes of the stack when they were set
  std::map<uint32_t, PickleId> memo_;
};

}  // namespace embedding
