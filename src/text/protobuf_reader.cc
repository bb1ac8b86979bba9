#include "text/protobuf_reader.h"

#include <bit>
#include <cstddef>
#include <string>

namespace embedding {
namespace {

Error Broken(std::string problem) { return {ErrorCode::kModelLoad, std::move(problem), ""}; }

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace

float ProtobufReader::Field::AsFloat() const {
  return std::bit_cast<float>(static_cast<uint32_t>(value));
}

Result<uint64_t> ProtobufReader::Varint() {
  constexpr size_t kMostBytes = 10;  // of 64 bits, seven in each
  uint64_t value = 0;
  for (size_t i = 0; i < kMostBytes && i < rest_.size(); ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  return Broken(rest_.size() < kMostBytes ? "a number is cut short" : "a number is too long");
}

Result<std::string_view> ProtobufReader::Take(uint64_t size_bytes) {
  if (size_bytes > rest_.size()) {
    return Broken("a field of " + std::to_string(size_bytes) + " bytes has only " +
                  std::to_string(rest_.size()));
  }
  const std::string_view taken = rest_.substr(0, size_bytes);
  rest_.remove_prefix(size_bytes);
  return taken;
}

Result<ProtobufReader::Field> ProtobufReader::Next() {
  constexpr uint64_t kLargestNumber = (uint64_t{1} << 29) - 1;
  ASSIGN_OR_RETURN(const uint64_t tag, Varint());
  const uint64_t number = tag >> 3;
  if (number == 0 || number > kLargestNumber) {
    return Broken("a field has the number " + std::to_string(number));
  }
  Field field;
  field.number = static_cast<uint32_t>(number);
  field.wire = static_cast<Wire>(tag & 7);
  switch (field.wire) {
    case Wire::kVarint: {
      ASSIGN_OR_RETURN(field.value, Varint());
      return field;
    }
    case Wire::kBytes: {
      ASSIGN_OR_RETURN(const uint64_t size_bytes, Varint());
      ASSIGN_OR_RETURN(field.bytes, Take(size_bytes));
      return field;
    }
    case Wire::kFixed32:
    case Wire::kFixed64: {
      ASSIGN_OR_RETURN(const std::string_view bytes, Take(field.wire == Wire::kFixed32 ? 4 : 8));
      field.value = LittleEndian(bytes);
      return field;
    }
  }
  return Broken("a field is of the wire type " + std::to_string(tag & 7));
}

}  // namespace embedding
