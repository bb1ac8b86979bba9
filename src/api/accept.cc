#include "api/accept.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/ascii.h"

namespace embedding::api {
namespace {

constexpr int kMost = 1000;  // weights are counted in thousandths

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// What comes before `separator`, which goes away with it.
std::string_view TakePart(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return Trimmed(part);
}

// Of "0.5"; what is no weight counts as none given.
int Weight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return kMost;
  int weight = text[0] == '1' ? kMost : 0;
  int step = kMost / 10;
  for (size_t i = 2; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i, step /= 10) {
    weight += (text[i] - '0') * step;
  }
  return std::min(weight, kMost);
}

// One range of a header that lists what a client takes, and its weight.
struct Range {
  std::string_view name;
  int weight;
};

Range TakeRange(std::string_view& header) {
  std::string_view parameters = TakePart(header, ',');
  Range range{TakePart(parameters, ';'), kMost};
  while (!parameters.empty()) {
    std::string_view parameter = TakePart(parameters, ';');
    if (EqualsIgnoringCase(TakePart(parameter, '='), "q")) {
      range.weight = Weight(Trimmed(parameter));
    }
  }
  return range;
}

// Whether the header names `type`, with a weight above 0 that is no less than JSON's.
bool PrefersToJson(std::string_view accept, std::string_view type) {
  int wanted = 0;
  int json = 0;
  int any = 0;  // for JSON, where it is not named
  bool json_named = false;
  bool wanted_first = true;
  while (!accept.empty()) {
    const Range range = TakeRange(accept);
    if (EqualsIgnoringCase(range.name, type)) {
      wanted = range.weight;
      wanted_first = !json_named;
    } else if (EqualsIgnoringCase(range.name, "application/json")) {
      json = range.weight;
      json_named = true;
    } else if (range.name == "*/*" || EqualsIgnoringCase(range.name, "application/*")) {
      any = std::max(any, range.weight);
    }
  }
  if (!json_named) json = any;
  return wanted > 0 && (wanted > json || (wanted == json && wanted_first));
}

}  // namespace

bool PrefersBytes(std::string_view accept) { return PrefersToJson(accept, kOctetStream); }

bool PrefersHtml(std::string_view accept) { return PrefersToJson(accept, "text/html"); }

bool TakesGzip(std::string_view accept_encoding) {
  int gzip = -1;
  int any = 0;
  while (!accept_encoding.empty()) {
    const Range range = TakeRange(accept_encoding);
    if (EqualsIgnoringCase(range.name, "gzip")) gzip = range.weight;
    if (range.name == "*") any = range.weight;
  }
  return gzip < 0 ? any > 0 : gzip > 0;
}

}  // namespace embedding::api
