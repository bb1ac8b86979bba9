#include "text/regex_program.h"

#include <algorithm>
#include <utility>

#include "text/regex_sets.h"

namespace embedding {
namespace {

using Kind = RegexInstruction::Kind;

// Real patterns need some 60 instructions and 15 sets.
constexpr size_t kMaxInstructions = 1000;
constexpr size_t kMaxSets = 64;

// Emits from the end to the beginning: what a piece goes on at is there when it is emitted.
class RegexCompiler {
 public:
  Result<RegexProgram> Compile(const RegexNode& root) {
    const size_t match = Emit({.kind = Kind::kMatch});
    program_.start = EmitNode(root, match);
    if (program_.instructions.size() > kMaxInstructions) {
      return RegexUnsupported("more repetitions than are supported");
    }
    if (program_.sets.size() > kMaxSets) {
      return RegexUnsupported("more different classes than are supported");
    }
    return std::move(program_);
  }

 private:
  bool IsFull() const {
    return program_.instructions.size() > kMaxInstructions || program_.sets.size() > kMaxSets;
  }

  size_t Emit(RegexInstruction instruction) {
    program_.instructions.push_back(instruction);
    return program_.instructions.size() - 1;
  }

  size_t IndexOf(const CodePointSet& set) {
    auto& sets = program_.sets;
    const auto known = std::find(sets.begin(), sets.end(), set);
    if (known != sets.end()) return static_cast<size_t>(known - sets.begin());
    sets.push_back(set);
    return sets.size() - 1;
  }

  // Where what matches `node` and goes on at `next` begins.
  size_t EmitNode(const RegexNode& node, size_t next) {
    if (IsFull()) return next;  // and is refused
    switch (node.kind) {
      case RegexNode::Kind::kSet:
        return Emit({.kind = Kind::kSet, .set = IndexOf(node.set), .next = next});
      case RegexNode::Kind::kLookahead:
        return Emit({.kind = Kind::kLookahead,
                     .set = IndexOf(node.set),
                     .at_end = node.at_end,
                     .next = next});
      case RegexNode::Kind::kSequence: {
        size_t begin = next;
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
          begin = EmitNode(*child, begin);
        }
        return begin;
      }
      case RegexNode::Kind::kAlternation: {
        size_t begin = EmitNode(node.children.back(), next);
        for (auto child = node.children.rbegin() + 1; child != node.children.rend(); ++child) {
          const size_t preferred = EmitNode(*child, next);
          begin = Emit({.kind = Kind::kFork, .next = preferred, .other = begin});
        }
        return begin;
      }
      case RegexNode::Kind::kRepeat:
        return EmitRepeat(node, next);
    }
    return next;
  }

  size_t EmitFork(const RegexNode& repeat, size_t again, size_t next) {
    return repeat.is_lazy ? Emit({.kind = Kind::kFork, .next = next, .other = again})
                          : Emit({.kind = Kind::kFork, .next = again, .other = next});
  }

  size_t EmitRepeat(const RegexNode& repeat, size_t next) {
    const RegexNode& repeated = repeat.children.front();
    size_t begin = next;
    if (repeat.max == RegexNode::kUnbounded) {
      begin = EmitFork(repeat, next, next);
      const size_t again = EmitNode(repeated, begin);
      RegexInstruction& fork = program_.instructions[begin];
      (repeat.is_lazy ? fork.other : fork.next) = again;
    } else {
      for (uint32_t i = repeat.min; i < repeat.max && !IsFull(); ++i) {
        begin = EmitFork(repeat, EmitNode(repeated, begin), next);
      }
    }
    for (uint32_t i = 0; i < repeat.min && !IsFull(); ++i) begin = EmitNode(repeated, begin);
    return begin;
  }

  RegexProgram program_;
};

}  // namespace

Result<RegexProgram> MakeRegexProgram(const RegexNode& root) {
  return RegexCompiler().Compile(root);
}

}  // namespace embedding
