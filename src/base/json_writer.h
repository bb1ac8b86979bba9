// JsonWriter: JSON appended value by value to the buffer that is sent.
//
// Commas and colons come by themselves; that a key stands before each value of an object, and that
// what is begun is ended, is the caller's to see to:
//
//   JsonWriter json(body);
//   json.BeginObject().Key("index").Integer(i).Key("text").String(text).EndObject();
//
// Texts must be valid UTF-8. Nothing is allocated but the buffer. Not thread-safe.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace embedding {

class JsonWriter {
 public:
  // What a float takes at most, its comma included: -1.23456789e-38,
  static constexpr size_t kMaxFloatChars = 16;

  // Writes one value behind what `out` holds. `out` must outlive the writer and may be read at any
  // time.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& BeginObject() { return Begin('{'); }
  JsonWriter& EndObject() { return End('}'); }
  JsonWriter& BeginArray() { return Begin('['); }
  JsonWriter& EndArray() { return End(']'); }
  // The name of the value that is written next.
  JsonWriter& Key(std::string_view name);

  JsonWriter& String(std::string_view text);
  // Bytes as a string, in base64 with its padding (RFC 4648, 4).
  JsonWriter& Base64(std::span<const std::byte> bytes);
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonWriter& Integer(T value);
  JsonWriter& Bool(bool value) { return Json(value ? "true" : "false"); }
  JsonWriter& Null() { return Json("null"); }
  // A value that is JSON already.
  JsonWriter& Json(std::string_view value);

  // Numbers in the shortest form that reads back as the same f32: one, an array of them, and an
  // array of arrays of `width` of them each. Errors: kInternal for what is not finite, which JSON
  // has no way to write; then the buffer is of no use.
  Status Float(float value);
  Status Floats(std::span<const float> values);
  Status Rows(std::span<const float> values, size_t width);

 private:
  JsonWriter& Begin(char bracket);
  JsonWriter& End(char bracket);
  // Comes before every key, and every value without one.
  void Separate() {
    if (needs_comma_) out_ += ',';
    needs_comma_ = true;
  }
  void AppendQuoted(std::string_view text);

  std::string& out_;
  bool needs_comma_ = false;  // a value has been written where the next one goes
};

template <std::integral T>
requires(!std::same_as<T, bool>) JsonWriter& JsonWriter::Integer(T value) {
  Separate();
  std::array<char, 20> digits;  // -9223372036854775808, 18446744073709551615
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.append(digits.data(), end);
  return *this;
}

}  // namespace embedding
