#include "http/request_id.h"

#include <algorithm>

#include <fmt/format.h>

namespace embedding::http {

std::string RequestIds::For(std::string_view from_client) {
  constexpr size_t kMaxChars = 128;
  const auto printable = [](char c) { return c >= 0x20 && c <= 0x7E; };
  const bool fit = !from_client.empty() && from_client.size() <= kMaxChars &&
                   std::all_of(from_client.begin(), from_client.end(), printable);
  return fit ? std::string(from_client) : Next();
}

std::string RequestIds::Next() {
  const uint64_t high = random_();
  const uint64_t low = random_();
  return fmt::format("{:016x}{:016x}", high, low);
}

}  // namespace embedding::http
