#include "weights/pickle_stack.h"

#include <utility>

#include "weights/model_error.h"

namespace embedding {

Status PickleStack::Push(PickleKind kind, int64_t integer, std::string_view text,
                         std::vector<PickleId> items) {
  stack_.push_back(static_cast<PickleId>(document_.values.size()));
  document_.values.push_back({kind, integer, text, std::move(items)});
  return {};
}

Status PickleStack::Pop(size_t values) {
  RETURN_IF_ERROR(Require(values));
  stack_.resize(stack_.size() - values);
  return {};
}

Status PickleStack::PushMark() {
  marks_.push_back(stack_.size());
  return {};
}

Status PickleStack::PopMark() {
  ASSIGN_OR_RETURN(const size_t values, CloseMark());
  return Pop(values);
}

Status PickleStack::PopValueOrMark() {
  const bool nothing_above_mark = !marks_.empty() && marks_.back() == stack_.size();
  return nothing_above_mark ? PopMark() : Pop(1);
}

Status PickleStack::Require(size_t values) const {
  const size_t hidden = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() - hidden < values) return ModelError("the pickle's stack runs empty");
  return {};
}

std::vector<PickleId> PickleStack::TakeTop(size_t values) {
  std::vector<PickleId> items(stack_.end() - static_cast<std::ptrdiff_t>(values), stack_.end());
  stack_.resize(stack_.size() - values);
  return items;
}

Status PickleStack::MakeTuple(size_t values) {
  RETURN_IF_ERROR(Require(values));
  return Push(PickleKind::kTuple, 0, {}, TakeTop(values));
}

Status PickleStack::MakeTupleToMark() {
  ASSIGN_OR_RETURN(const size_t values, CloseMark());
  return MakeTuple(values);
}

Status PickleStack::Extend(PickleKind kind, size_t values) {
  RETURN_IF_ERROR(Require(values + 1));
  PickleValue& container = document_.values[stack_[stack_.size() - 1 - values]];
  if (container.kind != kind) {
    return ModelError("adds elements to {} as if it were {}", PickleKindName(container.kind),
                      PickleKindName(kind));
  }
  if (kind == PickleKind::kDict && values % 2 != 0) {
    return ModelError("a dictionary's key has no value");
  }
  const std::vector<PickleId> items = TakeTop(values);
  container.items.insert(container.items.end(), items.begin(), items.end());
  return {};
}

Status PickleStack::ExtendToMark(PickleKind kind) {
  ASSIGN_OR_RETURN(const size_t values, CloseMark());
  return Extend(kind, values);
}

Status PickleStack::Memoize(uint32_t index) {
  RETURN_IF_ERROR(Require(1));
  memo_[index] = stack_.back();
  return {};
}

Status PickleStack::Recall(uint32_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) return ModelError("the memo has no value {}", index);
  stack_.push_back(found->second);
  return {};
}

Result<PickleDocument> PickleStack::Finish() && {
  if (!marks_.empty() || stack_.size() != 1) {
    return ModelError("the pickle ends with {} values and {} marks on its stack", stack_.size(),
                      marks_.size());
  }
  document_.root = stack_.back();
  return std::move(document_);
}

Result<size_t> PickleStack::CloseMark() {
  if (marks_.empty()) return ModelError("the pickle lacks a mark");
  const size_t values = stack_.size() - marks_.back();
  marks_.pop_back();
  return values;
}

}  // namespace embedding
