// The automaton of a regular expression.
//
// A state is a list of the program's threads in order of preference, as they are after a character
// has been taken and before what follows is known (subset construction; the order makes it prefer
// what a backtracking matcher would). What follows, a class of characters or the text's end,
// decides which look-aheads hold: they are followed with it in hand. Reaching the instruction that
// matches ends a step, for all threads behind it are less preferred; those before it go on, and
// whichever matches later wins.
//
// Characters that are in the same sets of the pattern are one class, so that a state has some ten
// entries.
//
// A search may read on behind a match for a longer one, or without one, and give up: "a+b" does on
// a run of a's. That is done once for a piece of text, or else the time is quadratic, and the
// pattern is refused: where two searches can read on together without end, the second begun in what
// the first has read in vain. Those of GPT-4 and its like, which look for a newline behind white
// space, read on once.
#include "text/regex.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/quoted.h"
#include "text/regex_parser.h"
#include "text/regex_program.h"
#include "text/regex_sets.h"

namespace embedding {

class RegexAutomatonBuilder {
 public:
  explicit RegexAutomatonBuilder(const RegexProgram& program) : program_(program) {}

  Result<Regex> Build() {
    Regex regex{CodePointTable<uint8_t>(FindClasses())};
    if (classes_.size() > kMaxClasses) return RegexUnsupported("more classes than are supported");
    stride_ = classes_.size() + 1;
    regex.end_class_ = classes_.size();
    StateOf({});  // state 0: no threads
    regex.start_ = StateOf({program_.start}) * stride_;
    for (size_t state = 0; state < threads_.size(); ++state) {
      for (size_t symbol = 0; symbol < stride_; ++symbol) {
        const auto [next, matches] = Step(state, symbol);
        if (threads_.size() > kMaxStates) return RegexUnsupported("more states than are supported");
        regex.entries_.push_back(static_cast<Regex::Entry>((next * stride_) << 1) |
                                 (matches ? 1 : 0));
      }
    }
    if (SearchesAgain(regex)) {
      return RegexUnsupported("a search that can go over a text again and again");
    }
    return regex;
  }

 private:
  using Threads = std::vector<size_t>;

  // Real patterns have up to 20 classes and 40 states.
  static constexpr size_t kMaxClasses = 254;
  static constexpr size_t kMaxStates = 256;

  // All code points. A class's signature says in which of the sets its characters are.
  std::vector<CodePointRun<uint8_t>> FindClasses() {
    std::map<char32_t, uint64_t> changes;  // where characters come into sets, or leave them
    for (size_t i = 0; i < program_.sets.size(); ++i) {
      for (const CodePointSet::Range& range : program_.sets[i].ranges()) {
        changes[range.first] ^= uint64_t{1} << i;
        changes[range.last + 1] ^= uint64_t{1} << i;
      }
    }
    std::vector<CodePointRun<uint8_t>> runs;
    std::map<uint64_t, size_t> known;
    uint64_t signature = 0;
    changes.try_emplace(0, 0);
    for (const auto& [c, change] : changes) {
      signature ^= change;
      const auto [entry, is_new] = known.try_emplace(signature, classes_.size());
      if (is_new) classes_.push_back(signature);
      runs.push_back({c, static_cast<uint8_t>(std::min(entry->second, kMaxClasses))});
    }
    return runs;
  }

  bool Holds(size_t set, size_t symbol) const { return ((classes_[symbol] >> set) & 1) != 0; }

  size_t StateOf(const Threads& threads) {
    const auto [entry, is_new] = states_.try_emplace(threads, threads_.size());
    if (is_new) threads_.push_back(threads);
    return entry->second;
  }

  struct Stepped {
    size_t state;
    bool matches;
  };

  Stepped Step(size_t state, size_t symbol) {
    const Threads threads = threads_[state];  // a copy, for new states move those that are known
    Threads next;
    std::vector<bool> seen(program_.instructions.size());
    std::vector<bool> is_next(program_.instructions.size());
    Threads pending;  // the most preferred last
    for (const size_t thread : threads) {
      pending.push_back(thread);
      while (!pending.empty()) {
        const size_t at = pending.back();
        pending.pop_back();
        if (seen[at]) continue;
        seen[at] = true;
        const RegexInstruction& instruction = program_.instructions[at];
        const bool is_end = symbol == classes_.size();
        switch (instruction.kind) {
          case RegexInstruction::Kind::kMatch:
            return {StateOf(next), true};
          case RegexInstruction::Kind::kFork:
            pending.push_back(instruction.other);
            pending.push_back(instruction.next);
            break;
          case RegexInstruction::Kind::kLookahead:
            if (is_end ? instruction.at_end : Holds(instruction.set, symbol)) {
              pending.push_back(instruction.next);
            }
            break;
          case RegexInstruction::Kind::kSet:
            if (!is_end && Holds(instruction.set, symbol) && !is_next[instruction.next]) {
              is_next[instruction.next] = true;
              next.push_back(instruction.next);
            }
            break;
        }
      }
    }
    return {StateOf(next), false};
  }

  // Whether two searches, of which the second begins somewhere in what the first reads in vain, can
  // go on without bound over the same characters and find nothing: a circle, without matches, in
  // the product of the automaton with itself. Depth-first, with the way so far.
  bool SearchesAgain(const Regex& regex) const {
    const size_t states = threads_.size();
    enum class Mark : uint8_t { kNew, kReached, kOnTheWay, kDone };
    std::vector<Mark> marks(states * states, Mark::kNew);
    std::vector<size_t> reached;  // pairs: state of the first * states + state of the second
    const auto reach = [&](size_t first, size_t second) {
      const size_t pair = (first * states) + second;
      if (first == 0 || second == 0 || marks[pair] != Mark::kNew) return;
      marks[pair] = Mark::kReached;
      reached.push_back(pair);
    };
    const auto entry = [&](size_t state, size_t symbol) {
      return regex.entries_[(state * stride_) + symbol];
    };
    const auto next = [&](Regex::Entry of) { return (of >> 1) / stride_; };
    for (size_t state = 1; state < states; ++state) {
      for (size_t symbol = 0; symbol < classes_.size(); ++symbol) {
        reach(next(entry(state, symbol)), next(entry(regex.start_ / stride_, symbol)));
      }
    }
    for (size_t i = 0; i < reached.size(); ++i) {
      const size_t pair = reached[i];
      for (size_t symbol = 0; symbol < classes_.size(); ++symbol) {
        const Regex::Entry first = entry(pair / states, symbol);
        if ((first & 1) == 0) reach(next(first), next(entry(pair % states, symbol)));
      }
    }
    struct Visit {
      size_t pair;
      size_t symbol;
    };
    for (const size_t root : reached) {
      if (marks[root] == Mark::kDone) continue;
      std::vector<Visit> way = {{root, 0}};
      marks[root] = Mark::kOnTheWay;
      while (!way.empty()) {
        Visit& visit = way.back();
        if (visit.symbol == classes_.size()) {
          marks[visit.pair] = Mark::kDone;
          way.pop_back();
          continue;
        }
        const Regex::Entry first = entry(visit.pair / states, visit.symbol);
        const Regex::Entry second = entry(visit.pair % states, visit.symbol);
        ++visit.symbol;
        const size_t pair = (next(first) * states) + next(second);
        const bool ends = next(first) == 0 || next(second) == 0;
        if (ends || ((first | second) & 1) != 0 || marks[pair] == Mark::kDone) continue;
        if (marks[pair] == Mark::kOnTheWay) return true;
        marks[pair] = Mark::kOnTheWay;
        way.push_back({pair, 0});
      }
    }
    return false;
  }

  const RegexProgram& program_;
  std::vector<uint64_t> classes_;     // signatures
  size_t stride_ = 0;                 // entries a state
  std::map<Threads, size_t> states_;  // their numbers
  std::vector<Threads> threads_;      // of each state
};

namespace {

// Of a pattern in an error. All of nearly any real one.
constexpr size_t kShownBytes = 450;

Result<Regex> Make(std::string_view pattern) {
  ASSIGN_OR_RETURN(const RegexNode root, ParseRegex(pattern));
  ASSIGN_OR_RETURN(const RegexProgram program, MakeRegexProgram(root));
  return RegexAutomatonBuilder(program).Build();
}

}  // namespace

Result<Regex> Regex::Compile(std::string_view pattern) {
  Result<Regex> regex = Make(pattern);
  if (regex.ok()) return regex;
  return Error{ErrorCode::kModelLoad,
               "is a regular expression that is not supported: \"" +
                   Printable(pattern, kShownBytes) + "\" has " + regex.error().message,
               ""};
}

}  // namespace embedding
