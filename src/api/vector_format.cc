#include "api/vector_format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>
#include <vector>

#include "api/json_writer.h"

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

void AppendBase64Bytes(std::string_view bytes, std::string& out) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t rest = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < rest ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += k <= rest ? kDigits[group >> (18 - 6 * k) & 0x3F] : '=';
    }
  }
}

}  // namespace

Result<OutputDtype> ReadOutputDtype(const JsonReader& json) {
  constexpr std::string_view kNames[] = {"float", "int8", "uint8", "binary", "ubinary"};
  ASSIGN_OR_RETURN(const size_t dtype, json.Choice("output_dtype", kNames));
  return static_cast<OutputDtype>(dtype);
}

Status AppendVector(std::span<const float> vector, OutputDtype dtype, std::string& out) {
  if (dtype == OutputDtype::kFloat) {
    if (AppendJsonFloats(vector, out)) return {};
    return CheckFinite(vector);
  }
  RETURN_IF_ERROR(CheckFinite(vector));
  const int shift = IsSigned(dtype) ? 128 : 0;
  out += '[';
  for (const uint8_t byte : Quantize(vector, dtype)) {
    if (out.back() != '[') out += ',';
    out += std::to_string(int{byte} - shift);
  }
  out += ']';
  return {};
}

Status AppendBase64(std::span<const float> vector, OutputDtype dtype, std::string& out) {
  RETURN_IF_ERROR(CheckFinite(vector));
  out += '"';
  if (dtype == OutputDtype::kFloat) {
    AppendBase64Bytes({reinterpret_cast<const char*>(vector.data()), vector.size_bytes()}, out);
  } else {
    std::vector<uint8_t> bytes = Quantize(vector, dtype);
    if (IsSigned(dtype)) {
      for (uint8_t& byte : bytes) byte ^= 0x80U;  // less 128, as two's complement
    }
    AppendBase64Bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, out);
  }
  out += '"';
  return {};
}

}  // namespace embedding::api
