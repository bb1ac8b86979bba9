#include "api/vector_format.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace embedding::api {
namespace {

std::string Json(const std::vector<float>& vector, OutputDtype dtype) {
  std::string out;
  JsonWriter json(out);
  EXPECT_TRUE(WriteVector(vector, dtype, json).ok());
  return out;
}

std::string Base64(const std::vector<float>& vector, OutputDtype dtype) {
  std::string out;
  JsonWriter json(out);
  EXPECT_TRUE(WriteBase64(vector, dtype, json).ok());
  return out;
}

// The expected values are numpy's and Python's base64's.
TEST(VectorFormat, Base64IsOfLittleEndianFloats) {
  EXPECT_EQ(Base64({1.0F}, OutputDtype::kFloat), "\"AACAPw==\"");
  EXPECT_EQ(Base64({1.0F, -2.5F}, OutputDtype::kFloat), "\"AACAPwAAIMA=\"");
  EXPECT_EQ(Base64({1.0F, -2.5F, 0.0F}, OutputDtype::kFloat), "\"AACAPwAAIMAAAAAA\"");
  EXPECT_EQ(Base64({}, OutputDtype::kFloat), "\"\"");
}

TEST(VectorFormat, BitsAreThoseOfPackbits) {
  const std::vector<float> nine = {0.5F, -1, 0, 2, 3, -4, 5, 6, 7};
  EXPECT_EQ(Json(nine, OutputDtype::kUbinary), "[155,128]");
  EXPECT_EQ(Json(nine, OutputDtype::kBinary), "[27,0]");
  EXPECT_EQ(Base64(nine, OutputDtype::kUbinary), "\"m4A=\"");
  EXPECT_EQ(Base64(nine, OutputDtype::kBinary), "\"GwA=\"");
}

TEST(VectorFormat, BytesCoverTheRangeAndCutWhatLiesBeyond) {
  // Of two components the range is [-1, 1], of 256 it is [-0.5, 0.5].
  EXPECT_EQ(Json({-1, 1}, OutputDtype::kUint8), "[0,255]");
  EXPECT_EQ(Json({-7, 7}, OutputDtype::kInt8), "[-128,127]");
  std::vector<float> many(256, 0.0F);
  many[0] = -0.5F;
  many[1] = 0.5F;
  EXPECT_EQ(Json(many, OutputDtype::kUint8).substr(0, 11), "[0,255,127,");
}

TEST(VectorFormat, WhatIsNotFiniteIsAnError) {
  for (const OutputDtype dtype : {OutputDtype::kFloat, OutputDtype::kInt8, OutputDtype::kBinary}) {
    std::string out;
    JsonWriter json(out);
    const std::vector<float> bad = {0, std::numeric_limits<float>::quiet_NaN()};
    EXPECT_FALSE(WriteVector(bad, dtype, json).ok());
    EXPECT_FALSE(WriteBase64(bad, dtype, json).ok());
  }
}

}  // namespace
}  // namespace embedding::api
