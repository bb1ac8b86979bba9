#include "weights/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weights/builders.h"

namespace embedding {
namespace {

using testing::HasSubstr;

const std::string kTwoTensors = R"({"__metadata__":{"format":"pt"},)"
                                R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                R"("b":{"dtype":"F16","shape":[2],"data_offsets":[24,28]}}   )";

std::string ErrorOf(const std::string& file) {
  const Result<TensorMap> tensors = ReadSafetensors(AsBytes(file));
  EXPECT_FALSE(tensors.ok());
  if (tensors.ok()) return {};
  EXPECT_EQ(tensors.error().code, ErrorCode::kModelLoad);
  return tensors.error().message;
}

// The error of a file with one tensor "a", described by `fields`, and `data_bytes` bytes.
std::string ErrorOfTensor(const std::string& fields, size_t data_bytes = 24) {
  return ErrorOf(Safetensors("{\"a\":{" + fields + "}}", std::string(data_bytes, 'x')));
}

TEST(SafetensorsTest, ReadsTensorsWhereTheyLie) {
  const std::string file =
      Safetensors(kTwoTensors, TensorBytes(kSixFloats) + TensorBytes<uint16_t>({0x3C00, 0xC000}));
  const Result<TensorMap> tensors = ReadSafetensors(AsBytes(file));
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 2U);
  const TensorView& a = tensors->at("a");
  EXPECT_EQ(a.dtype, DType::kF32);
  EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(a.bytes.data(), AsBytes(file).data() + 8 + kTwoTensors.size());
  EXPECT_EQ(a.elements(), 6U);
  const TensorView& b = tensors->at("b");
  EXPECT_EQ(b.dtype, DType::kF16);
  std::vector<float> values(2);
  CopyToF32(b, values);
  EXPECT_EQ(values, (std::vector<float>{1, -2}));
}

TEST(SafetensorsTest, ReadsScalarsEmptyTensorsAndFilesWithoutTensors) {
  const std::string file =
      Safetensors(R"({"none":{"dtype":"I64","shape":[0,4],"data_offsets":[0,0]},)"
                  R"("scalar":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}})",
                  "\x80\x3F");
  const Result<TensorMap> tensors = ReadSafetensors(AsBytes(file));
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  EXPECT_EQ(tensors->at("none").elements(), 0U);
  float value = 0;
  CopyToF32(tensors->at("scalar"), {&value, 1});
  EXPECT_EQ(value, 1.0F);
  EXPECT_TRUE(ReadSafetensors(AsBytes(Safetensors("{}", ""))).ok());
}

TEST(SafetensorsTest, RefusesABrokenBeginning) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("too few"));
  EXPECT_THAT(ErrorOf("1234567"), HasSubstr("too few"));
  EXPECT_THAT(ErrorOf(LittleEndian<uint64_t>(3) + "{}"), HasSubstr("truncated"));
  EXPECT_THAT(ErrorOf(LittleEndian<uint64_t>(UINT64_MAX) + "{}"), HasSubstr("would be"));
  EXPECT_THAT(ErrorOf(LittleEndian<uint64_t>(100'000'001) + "{}"), HasSubstr("100000001"));
  EXPECT_THAT(ErrorOf(LittleEndian<uint64_t>(0)), HasSubstr("begin with '{'"));
  EXPECT_THAT(ErrorOf(Safetensors(" {}", "")), HasSubstr("begin with '{'"));
}

TEST(SafetensorsTest, RefusesABrokenHeader) {
  EXPECT_THAT(ErrorOf(Safetensors("{\"a\":", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(ErrorOf(Safetensors("{} x", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(ErrorOf(Safetensors("{\"\xFF\":1}", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(ErrorOf(Safetensors("{\"a\":1,\"a\":1}", "")), HasSubstr("\"a\" is there twice"));
  EXPECT_THAT(
      ErrorOf(Safetensors("{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + '}', "")),
      HasSubstr("deep"));
  EXPECT_THAT(ErrorOf(Safetensors("{\"a\":[]}", "")), HasSubstr("must be a JSON object"));
}

TEST(SafetensorsTest, RefusesFieldsThatAreMissingOrOfTheWrongType) {
  EXPECT_THAT(ErrorOfTensor(R"("shape":[6],"data_offsets":[0,24])"), HasSubstr("dtype is missing"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","data_offsets":[0,24])"),
              HasSubstr("shape is missing"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":[6])"), HasSubstr("data_offsets"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":1,"shape":[6],"data_offsets":[0,24])"),
              HasSubstr("dtype must be a string"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":6,"data_offsets":[0,24])"),
              HasSubstr("shape must be an array"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":[6.0],"data_offsets":[0,24])"),
              HasSubstr("non-negative integers"));
  for (const char* offsets : {"[0]", "[0,24,24]", "[0,-24]", "[0,24.0]", "[\"0\",24]", "24"}) {
    EXPECT_THAT(
        ErrorOfTensor(R"("dtype":"F32","shape":[6],"data_offsets":)" + std::string(offsets)),
        HasSubstr("two non-negative integers"));
  }
}

TEST(SafetensorsTest, RefusesUnknownDTypesByName) {
  for (const char* dtype : {"F8_E4M3", "U16", "f32", ""}) {
    const std::string message =
        ErrorOfTensor(R"("shape":[6],"data_offsets":[0,24],"dtype":")" + std::string(dtype) + "\"");
    EXPECT_THAT(message, HasSubstr("tensor \"a\""));
    EXPECT_THAT(message, HasSubstr("dtype \"" + std::string(dtype) + "\" is not supported"));
  }
}

TEST(SafetensorsTest, RefusesAbsurdShapes) {
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":[-6],"data_offsets":[0,24])"),
              HasSubstr("non-negative integers, but holds -6"));
  EXPECT_THAT(
      ErrorOfTensor(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,24])"),
      HasSubstr("non-negative integers"));
  EXPECT_THAT(
      ErrorOfTensor(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,24])"),
      HasSubstr("overflows"));
  EXPECT_THAT(
      ErrorOfTensor(R"("dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,24])"),
      HasSubstr("overflows"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":[2,4],"data_offsets":[0,24])"),
              HasSubstr("take 32 bytes"));
}

TEST(SafetensorsTest, RefusesOffsetsThatDoNotFitTheFile) {
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":[6],"data_offsets":[24,0])"),
              HasSubstr("end before they begin"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":[6],"data_offsets":[0,24])", 23),
              HasSubstr("past the end"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":[6],)"
                            R"("data_offsets":[18446744073709551592,18446744073709551615])"),
              HasSubstr("past the end"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":[6],"data_offsets":[0,24])", 25),
              HasSubstr("1 bytes at the end"));
  EXPECT_THAT(ErrorOfTensor(R"("dtype":"F32","shape":[6],"data_offsets":[4,28])", 28),
              HasSubstr("hole of 4 bytes before tensor \"a\""));
}

TEST(SafetensorsTest, RefusesOverlapsAndHolesBetweenTensors) {
  const auto header = [](int begin) {
    return R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"I8","shape":[8],)"
           R"("data_offsets":[)" +
           std::to_string(begin) + "," + std::to_string(begin + 8) + "]}}";
  };
  EXPECT_TRUE(ReadSafetensors(AsBytes(Safetensors(header(8), std::string(16, 'x')))).ok());
  EXPECT_THAT(ErrorOf(Safetensors(header(7), std::string(15, 'x'))),
              HasSubstr("\"a\" and \"b\" overlap"));
  EXPECT_THAT(ErrorOf(Safetensors(header(0), std::string(8, 'x'))), HasSubstr("overlap"));
  EXPECT_THAT(ErrorOf(Safetensors(header(9), std::string(17, 'x'))),
              HasSubstr("hole of 1 bytes before tensor \"b\""));
}

TEST(SafetensorsTest, ShowsNamesHarmlessly) {
  const std::string message =
      ErrorOf(Safetensors(R"({"\u001b[31m)" + std::string(10'000, 'n') + R"(":1})", ""));
  EXPECT_THAT(message, HasSubstr("\\x1b[31mnnn"));
  EXPECT_LT(message.size(), 300U);
}

}  // namespace
}  // namespace embedding
