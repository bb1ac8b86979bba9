// A regular expression as a program whose threads run side by side (Thompson's construction; Cox,
// "Regular Expression Matching: the Virtual Machine Approach"). Of threads at one place of the text
// the first is preferred, as a backtracking matcher prefers what it tries first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "text/code_point_set.h"
#include "text/regex_parser.h"

namespace embedding {

struct RegexInstruction {
  enum class Kind : uint8_t {
    kSet,        // takes a character of `set`, goes on at `next`
    kLookahead,  // goes on at `next` if a character of `set` follows, or the text's end and at_end
    kFork,       // goes on at `next`, and less preferably at `other`
    kMatch,
  };
  Kind kind;
  size_t set = 0;  // index in RegexProgram::sets
  bool at_end = false;
  size_t next = 0;
  size_t other = 0;
};

struct RegexProgram {
  std::vector<RegexInstruction> instructions;
  size_t start = 0;
  std::vector<CodePointSet> sets;  // each once
};

// Errors: kModelLoad for a program that is too long, to be read behind "it has".
Result<RegexProgram> MakeRegexProgram(const RegexNode& root);

}  // namespace embedding
