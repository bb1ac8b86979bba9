#include "base/json_document.h"

#include <algorithm>

#include "base/json_repair.h"

namespace embedding {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// For less simdjson allocates anew, and forgets the depth.
constexpr size_t kMinCapacityBytes = 64;

}  // namespace

simdjson::error_code JsonDocument::ParseOnce(const std::string& text, size_t max_depth) {
  const size_t begin = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const size_t size = text.size() - begin;
  const simdjson::error_code failure =
      parser_.allocate(std::max(size, kMinCapacityBytes), max_depth);
  if (failure != simdjson::SUCCESS) return failure;
  const bool copy = text.capacity() - text.size() < simdjson::SIMDJSON_PADDING;
  return parser_.parse(text.data() + begin, size, copy).get(root_);
}

simdjson::error_code JsonDocument::Parse(std::string& text, size_t max_depth) {
  const simdjson::error_code failure = ParseOnce(text, max_depth);
  // Versions of simdjson name what is wrong with a number that is too large differently.
  const bool may_be_a_number = failure != simdjson::SUCCESS && failure != simdjson::UTF8_ERROR &&
                               failure != simdjson::MEMALLOC && failure != simdjson::DEPTH_ERROR;
  if (!may_be_a_number || !ReplaceLargeNumbers(text)) return failure;
  return ParseOnce(text, max_depth);
}

std::optional<dom::element> LastJsonField(dom::object object, std::string_view name) {
  std::optional<dom::element> last;
  for (const auto& [key, value] : object) {
    if (key == name) last = value;
  }
  return last;
}

std::string_view JsonKind(dom::element value) {
  switch (value.type()) {
    case dom::element_type::ARRAY:
      return "array";
    case dom::element_type::OBJECT:
      return "object";
    case dom::element_type::STRING:
      return "string";
    case dom::element_type::BOOL:
      return "boolean";
    case dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "number";
  }
}

}  // namespace embedding
