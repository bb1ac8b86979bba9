#include "api/vector_format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string_view>
#include <vector>

namespace embedding::api {
namespace {

static_assert(std::endian::native == std::endian::little, "vectors are sent as they lie in memory");

Status CheckFinite(std::span<const float> vector) {
  const bool finite =
      std::all_of(vector.begin(), vector.end(), [](float x) { return std::isfinite(x); });
  if (finite) return {};
  return Error{ErrorCode::kInternal, "a vector is not finite", ""};
}

bool IsSigned(OutputDtype dtype) {
  return dtype == OutputDtype::kInt8 || dtype == OutputDtype::kBinary;
}

// As unsigned bytes; the signed kinds are these less 128.
std::vector<uint8_t> Quantize(std::span<const float> vector, OutputDtype dtype) {
  if (dtype == OutputDtype::kBinary || dtype == OutputDtype::kUbinary) {
    std::vector<uint8_t> bytes((vector.size() + 7) / 8);
    for (size_t i = 0; i < vector.size(); ++i) {
      if (vector[i] > 0) bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] | (0x80U >> (i % 8)));
    }
    return bytes;
  }
  const float range = std::min(1.0F, 8.0F / std::sqrt(static_cast<float>(vector.size())));
  std::vector<uint8_t> bytes(vector.size());
  for (size_t i = 0; i < vector.size(); ++i) {
    const float step = (vector[i] + range) / (2 * range) * 255;
    bytes[i] = static_cast<uint8_t>(std::clamp(step, 0.0F, 255.0F));
  }
  return bytes;
}

}  // namespace

Result<OutputDtype> ReadOutputDtype(const JsonReader& json) {
  constexpr std::string_view kNames[] = {"float", "int8", "uint8", "binary", "ubinary"};
  ASSIGN_OR_RETURN(const size_t dtype, json.Choice("output_dtype", kNames));
  return static_cast<OutputDtype>(dtype);
}

Status WriteVector(std::span<const float> vector, OutputDtype dtype, JsonWriter& json) {
  if (dtype == OutputDtype::kFloat) return json.Floats(vector);
  RETURN_IF_ERROR(CheckFinite(vector));
  const int shift = IsSigned(dtype) ? 128 : 0;
  json.BeginArray();
  for (const uint8_t byte : Quantize(vector, dtype)) json.Integer(int{byte} - shift);
  json.EndArray();
  return {};
}

Status WriteBase64(std::span<const float> vector, OutputDtype dtype, JsonWriter& json) {
  RETURN_IF_ERROR(CheckFinite(vector));
  if (dtype == OutputDtype::kFloat) {
    json.Base64(std::as_bytes(vector));
    return {};
  }
  std::vector<uint8_t> bytes = Quantize(vector, dtype);
  if (IsSigned(dtype)) {
    for (uint8_t& byte : bytes) byte ^= 0x80U;  // less 128, as two's complement
  }
  json.Base64(std::as_bytes(std::span(bytes)));
  return {};
}

}  // namespace embedding::api
