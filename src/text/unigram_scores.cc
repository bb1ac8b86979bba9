#include "text/unigram_scores.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/json_repair.h"

namespace embedding {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int64_t kMaxPower = 308;  // 10^309 is no double

// 10^power, the nearest double.
double PowerOfTen(size_t power) {
  static const auto powers = [] {
    std::array<double, kMaxPower + 1> values{};
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = std::strtod(("1e" + std::to_string(i)).c_str(), nullptr);
    }
    return values;
  }();
  return powers[power];
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Digits of a number one by one, as far as they fit a u64; each says whether it still did.
class Significand {
 public:
  bool Append(char c) {
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value_ > (UINT64_MAX - digit) / 10) return false;
    value_ = value_ * 10 + digit;
    return true;
  }
  double value() const { return static_cast<double>(value_); }

 private:
  uint64_t value_ = 0;
};

// significand * 10^exponent in one product or quotient where the power is a double.
double Scale(double significand, int64_t exponent) {
  if (exponent > kMaxPower) return significand == 0 ? 0 : HUGE_VAL;
  if (exponent >= 0) return significand * PowerOfTen(static_cast<size_t>(exponent));
  while (exponent < -kMaxPower && significand != 0) {
    significand /= PowerOfTen(kMaxPower);
    exponent += kMaxPower;
  }
  return significand == 0 ? 0 : significand / PowerOfTen(static_cast<size_t>(-exponent));
}

}  // namespace

double ParseScore(std::string_view text) {
  const char* next = text.data();
  const char* const end = next + text.size();
  const auto at_digit = [&] { return next != end && IsDigit(*next); };
  const bool negative = next != end && *next == '-';
  if (negative) ++next;

  Significand significand;
  int64_t exponent = 0;
  // Of the integer part every digit from the first that does not fit counts as a zero.
  for (bool fits = true; at_digit(); ++next) {
    fits = fits && significand.Append(*next);
    if (!fits) ++exponent;
  }
  if (next != end && *next == '.') {
    // Of the fraction they count for nothing.
    bool fits = true;
    for (++next; at_digit(); ++next) {
      fits = fits && significand.Append(*next);
      if (fits) --exponent;
    }
  }
  if (next != end && (*next == 'e' || *next == 'E')) {
    ++next;
    const bool down = next != end && *next == '-';
    if (next != end && !IsDigit(*next)) ++next;
    int64_t written = 0;
    for (; at_digit(); ++next) written = std::min<int64_t>(written * 10 + (*next - '0'), INT32_MAX);
    exponent += down ? -written : written;
  }
  const double value = Scale(significand.value(), exponent);
  return negative ? -value : value;
}

Result<std::vector<double>> ReadUnigramScores(std::string_view padded_json, size_t count) {
  // The parser that made the document keeps no number's text: this one reads it a second time.
  ondemand::parser parser;
  ondemand::document document;
  ondemand::array vocab;
  std::vector<double> scores;
  scores.reserve(count);
  const auto fail = [&] {
    return Error{
        ErrorCode::kModelLoad,
        "model.vocab has no score that can be used at [" + std::to_string(scores.size()) + "]", ""};
  };
  const simdjson::padded_string_view json(padded_json,
                                          padded_json.size() + simdjson::SIMDJSON_PADDING);
  if (parser.iterate(json).get(document) != simdjson::SUCCESS ||
      document["model"]["vocab"].get_array().get(vocab) != simdjson::SUCCESS) {
    return fail();
  }
  for (auto entry : vocab) {
    std::string_view number;
    if (entry.get_array().at(1).raw_json_token().get(number) != simdjson::SUCCESS ||
        number.empty() || (number[0] != '-' && !IsDigit(number[0]))) {
      return fail();
    }
    const double score = ParseScore(number);
    if (!(std::abs(score) < kHuge)) return fail();
    scores.push_back(score);
  }
  if (scores.size() != count) return fail();
  return scores;
}

}  // namespace embedding
