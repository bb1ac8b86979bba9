// Vectors as answers show them: numbers, small integers, bits, base64, raw bytes.
#pragma once

#include <cstdint>
#include <span>

#include "api/json_reader.h"
#include "base/json_writer.h"
#include "base/result.h"

namespace embedding::api {

// "output_dtype": names and packing are those of sentence-transformers' quantize_embeddings.
//   int8, uint8      255 steps over [-r, r], r = 8 / sqrt(dimension) but at most 1; what lies
//                    beyond is cut to the ends. A component of a vector of length 1 has the size
//                    1 / sqrt(dimension) on average.
//   ubinary, binary  one bit a component, 1 for those above 0, eight to a byte, first component in
//                    the highest bit; as unsigned bytes, or less 128 as signed ones.
enum class OutputDtype { kFloat, kInt8, kUint8, kBinary, kUbinary };

// The request's "output_dtype". Errors: kInvalidArgument.
Result<OutputDtype> ReadOutputDtype(const JsonReader& json);

// Writes `vector` as an array. Errors: kInternal if a component is not finite.
Status WriteVector(std::span<const float> vector, OutputDtype dtype, JsonWriter& json);

// Writes `vector` as a string: base64 of little-endian f32, or of the bytes that WriteVector shows
// as numbers.
Status WriteBase64(std::span<const float> vector, OutputDtype dtype, JsonWriter& json);

}  // namespace embedding::api
