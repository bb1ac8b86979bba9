#include "http/trace_context.h"

#include <algorithm>

namespace embedding::http {
namespace {

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::string_view TraceIdOf(std::string_view traceparent) {
  // version "-" trace-id "-" parent-id "-" trace-flags. Of later versions more may follow.
  constexpr size_t kSize = 2 + 1 + 32 + 1 + 16 + 1 + 2;
  if (traceparent.size() < kSize) return {};
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace_id = traceparent.substr(3, 32);
  const std::string_view parent_id = traceparent.substr(36, 16);
  const std::string_view flags = traceparent.substr(53, 2);
  for (const size_t dash : {2U, 35U, 52U}) {
    if (traceparent[dash] != '-') return {};
  }
  for (const std::string_view field : {version, trace_id, parent_id, flags}) {
    if (!IsHex(field)) return {};
  }
  if (version == "ff" || IsZero(trace_id) || IsZero(parent_id)) return {};
  if (traceparent.find(',') != std::string_view::npos) return {};  // joined
  if (traceparent.size() > kSize && (version == "00" || traceparent[kSize] != '-')) return {};
  return trace_id;
}

}  // namespace embedding::http
