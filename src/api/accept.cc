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

}  // namespace

bool PrefersBytes(std::string_view accept) {
  int bytes = 0;
  int json = 0;
  int any = 0;  // for JSON, where it is not named
  bool json_named = false;
  bool bytes_first = true;
  while (!accept.empty()) {
    std::string_view range = TakePart(accept, ',');
    const std::string_view type = TakePart(range, ';');
    int weight = kMost;
    while (!range.empty()) {
      std::string_view parameter = TakePart(range, ';');
      if (EqualsIgnoringCase(TakePart(parameter, '='), "q")) weight = Weight(Trimmed(parameter));
    }
    if (EqualsIgnoringCase(type, kOctetStream)) {
      bytes = weight;
      bytes_first = !json_named;
    } else if (EqualsIgnoringCase(type, "application/json")) {
      json = weight;
      json_named = true;
    } else if (type == "*/*" || EqualsIgnoringCase(type, "application/*")) {
      any = std::max(any, weight);
    }
  }
  if (!json_named) json = any;
  return bytes > 0 && (bytes > json || (bytes == json && bytes_first));
}

}  // namespace embedding::api
