// ProtobufReader: the fields of a message in protobuf's wire format, one after the other.
//
// https://protobuf.dev/programming-guides/encoding: a field is a varint of its number and wire
// type, and its value: a varint, 4 or 8 bytes, or a length and that many bytes. What a number
// means, and that of a field that is not repeated the last one counts, is the caller's to know.
// Groups, which protobuf has given up, are refused. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace embedding {

class ProtobufReader {
 public:
  enum class Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  struct Field {
    uint32_t number = 0;
    Wire wire = Wire::kVarint;
    uint64_t value = 0;      // of kVarint, kFixed64, kFixed32
    std::string_view bytes;  // of kBytes: a view of the message

    // A field of the type int32, or an enumeration.
    int32_t AsInt32() const { return static_cast<int32_t>(static_cast<uint32_t>(value)); }
    float AsFloat() const;
    bool Is(uint32_t expected_number, Wire expected_wire) const {
      return number == expected_number && wire == expected_wire;
    }
  };

  // `message` must outlive the reader.
  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  bool done() const { return rest_.empty(); }
  // The next field, unless done. Errors: kModelLoad for what is cut short or no such format.
  Result<Field> Next();

 private:
  Result<uint64_t> Varint();
  Result<std::string_view> Take(uint64_t size_bytes);

  std::string_view rest_;
};

}  // namespace embedding
