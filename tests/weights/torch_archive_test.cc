#include "weights/torch_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weights/builders.h"

namespace embedding {
namespace {

using testing::HasSubstr;

const std::string kStorage = TensorBytes(kSixFloats);

Result<TensorMap> Read(const std::string& pickle,
                       const std::vector<std::string>& storages = {kStorage},
                       const std::string& byte_order = "little") {
  // Views outlive this call in no test that looks at their bytes.
  static std::string file;
  file = TorchArchive(Pickle(pickle), storages, byte_order);
  return ReadTorchArchive(AsBytes(file));
}

std::string ErrorOf(const std::string& pickle,
                    const std::vector<std::string>& storages = {kStorage},
                    const std::string& byte_order = "little") {
  const Result<TensorMap> tensors = Read(pickle, storages, byte_order);
  EXPECT_FALSE(tensors.ok());
  return tensors.ok() ? "" : tensors.error().message;
}

std::string ErrorOfTensor(const TensorPickle& tensor) {
  return ErrorOf(Dict({{"w", Tensor(tensor)}}));
}

std::vector<float> Values(const TensorView& tensor) {
  std::vector<float> values(tensor.elements());
  CopyToF32(tensor, values);
  return values;
}

TEST(TorchArchiveTest, ReadsTensorsWhereTheyLie) {
  const std::string file = TorchArchive(Pickle(Dict({{"w", Tensor()}})), {kStorage});
  const Result<TensorMap> tensors = ReadTorchArchive(AsBytes(file));
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  const TensorView& w = tensors->at("w");
  EXPECT_EQ(w.dtype, DType::kF32);
  EXPECT_EQ(w.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(Values(w), kSixFloats);
  EXPECT_EQ(static_cast<size_t>(w.bytes.data() - AsBytes(file).data()), file.find(kStorage));
}

TEST(TorchArchiveTest, ReadsViewsOfASharedStorage) {
  const auto tensors =
      Read(Dict({{"all", Tensor()},
                 {"row", Tensor({.offset = 3, .shape = {3}, .strides = {1}})},
                 {"tied", Tensor()},
                 {"scalar", Tensor({.offset = 5, .shape = {}, .strides = {}})},
                 {"ones", Tensor({.shape = {1, 6, 1}, .strides = {77, 1, 99}})},
                 {"empty", Tensor({.offset = 6, .shape = {0, 3}, .strides = {9, 9}})}}));
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  EXPECT_EQ(Values(tensors->at("row")), (std::vector<float>{4, 5, 6}));
  EXPECT_EQ(tensors->at("all").bytes.data(), tensors->at("tied").bytes.data());
  EXPECT_EQ(Values(tensors->at("scalar")), (std::vector<float>{6}));
  EXPECT_EQ(tensors->at("ones").elements(), 6U);
  EXPECT_EQ(tensors->at("empty").elements(), 0U);
}

TEST(TorchArchiveTest, RearrangesWhatIsNotRowMajor) {
  const auto tensors =
      Read(Dict({{"transposed", Tensor({.shape = {3, 2}, .strides = {1, 3}})},
                 {"part", Tensor({.offset = 1, .shape = {2, 1}, .strides = {1, 0}})}}));
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  EXPECT_EQ(Values(tensors->at("transposed")), (std::vector<float>{1, 4, -2, 5, 0.5, 6}));
  EXPECT_EQ(Values(tensors->at("part")), (std::vector<float>{-2, 0.5}));
  // All of the copies together are to be no larger than the file.
  const std::string copy = Tensor({.shape = {3, 2}, .strides = {1, 3}});
  EXPECT_THAT(ErrorOf(Dict({{"a", copy}, {"b", copy}})), HasSubstr("tensor \"b\": "));
}

TEST(TorchArchiveTest, ReadsParametersAndCheckpoints) {
  const std::string parameter =
      Call(Global("torch._utils", "_rebuild_parameter"),
           {Tensor(), "\x88", Global("collections", "OrderedDict") + ")R"});
  const std::string state_dict = Dict({{"w", parameter}});
  const auto tensors = Read(Dict({{"epoch", Int(3)}, {"state_dict", state_dict}, {"note", "]"}}));
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 1U);
  EXPECT_EQ(tensors->at("w").shape, (std::vector<int64_t>{2, 3}));
}

TEST(TorchArchiveTest, ReadsEveryStorageType) {
  const std::pair<const char*, DType> types[] = {
      {"DoubleStorage", DType::kF64}, {"FloatStorage", DType::kF32},
      {"HalfStorage", DType::kF16},   {"BFloat16Storage", DType::kBF16},
      {"LongStorage", DType::kI64},   {"IntStorage", DType::kI32},
      {"ShortStorage", DType::kI16},  {"CharStorage", DType::kI8},
      {"ByteStorage", DType::kU8},    {"BoolStorage", DType::kBool}};
  for (const auto& [name, dtype] : types) {
    const auto tensors = Read(Dict({{"w", Tensor({.storage_type = name})}}),
                              {std::string(6 * DTypeBytes(dtype), 1)});
    ASSERT_TRUE(tensors.ok()) << name << tensors.error().message;
    EXPECT_EQ(tensors->at("w").dtype, dtype);
  }
}

TEST(TorchArchiveTest, RefusesWhatIsNoStateDict) {
  EXPECT_THAT(ErrorOf(Tensor()), HasSubstr("the result of a call, not a dictionary"));
  EXPECT_THAT(ErrorOf("]"), HasSubstr("a list, not a dictionary"));
  EXPECT_THAT(ErrorOf(Dict({{"w", Int(3)}})), HasSubstr("tensor \"w\": is an integer"));
  EXPECT_THAT(ErrorOf("}(" + Int(1) + Tensor() + "u"), HasSubstr("name is an integer"));
  EXPECT_THAT(ErrorOf(Dict({{"w", Tensor()}, {"w", Tensor()}})), HasSubstr("\"w\" is there twice"));
  EXPECT_THAT(ErrorOf(Dict({{"w", Call(Global("torch", "Size"), {})}})), HasSubstr("not a tensor"));
  EXPECT_THAT(ErrorOf(Dict({{"w", Call(Global("torch._utils", "_rebuild_tensor_v2"), {})}})),
              HasSubstr("not a tensor"));
}

TEST(TorchArchiveTest, RefusesCodeByName) {
  EXPECT_THAT(ErrorOf(Dict({{"w", Call(Global("os", "system"), {Str("touch /tmp/x")})}})),
              HasSubstr("refuses os.system"));
  // The malicious call hidden among a good tensor's arguments.
  const std::string hidden = Call(Global("torch._utils", "_rebuild_parameter"),
                                  {Tensor(), Call(Global("builtins", "exec"), {Str("x")})});
  EXPECT_THAT(ErrorOf(Dict({{"w", hidden}})), HasSubstr("refuses builtins.exec"));
  EXPECT_THAT(ErrorOf(Call(Global("torch", "FloatStorage"), {})),
              HasSubstr("refuses to call torch.FloatStorage"));
  EXPECT_THAT(ErrorOf(Global("torch._utils", "_rebuild_tensor_v3")),
              HasSubstr("refuses torch._utils._rebuild_tensor_v3"));
  EXPECT_THAT(ErrorOf(Global("torch", "load")), HasSubstr("refuses torch.load"));
}

TEST(TorchArchiveTest, RefusesCyclesWithoutFollowingThem) {
  // d = {}; d["w"] = d, and the same below "state_dict".
  EXPECT_THAT(ErrorOf("}q\1" + Str("w") + "h\1s"), HasSubstr("\"w\": is a dictionary"));
  EXPECT_THAT(ErrorOf("}q\1" + Str("state_dict") + "h\1s"), HasSubstr("is a dictionary"));
  // A shape that contains a list that contains the shape.
  const std::string shape = "]q\1h\1\x85q\2a";
  EXPECT_THAT(ErrorOf(Dict({{"w", Call(Global("torch._utils", "_rebuild_tensor_v2"),
                                       {Tuple({Str("storage"), Global("torch", "FloatStorage"),
                                               Str("0"), Str("cpu"), Int(6)}) +
                                            "Q",
                                        Int(0), shape, shape})}})),
              HasSubstr("shape is a list"));
}

TEST(TorchArchiveTest, RefusesShapesThatDoNotFitTheStorage) {
  EXPECT_THAT(ErrorOfTensor({.offset = 1}), HasSubstr("past the end of its storage of 6"));
  EXPECT_THAT(ErrorOfTensor({.offset = 7, .shape = {0}, .strides = {1}}),
              HasSubstr("past the end"));
  EXPECT_THAT(ErrorOfTensor({.offset = -1}), HasSubstr("offset is negative: -1"));
  EXPECT_THAT(ErrorOfTensor({.shape = {3, 3}}),
              HasSubstr("shape [3, 3] with strides [3, 1] at offset 0 reaches past"));
  EXPECT_THAT(ErrorOfTensor({.shape = {-2, 3}}), HasSubstr("shape is negative"));
  EXPECT_THAT(ErrorOfTensor({.shape = {INT32_MAX, INT32_MAX, INT32_MAX}, .strides = {1, 1, 1}}),
              HasSubstr("overflows"));
  EXPECT_THAT(ErrorOfTensor({.strides = {4, 1}}), HasSubstr("past the end of its storage of 6"));
  EXPECT_THAT(ErrorOfTensor({.strides = {INT32_MAX, INT32_MAX}}), HasSubstr("past the end"));
  EXPECT_THAT(ErrorOfTensor({.shape = {INT32_MAX, 3}, .strides = {0, 0}}),
              HasSubstr("repeats more than the file has"));
  EXPECT_THAT(ErrorOfTensor({.strides = {1}}), HasSubstr("2 dimensions, but 1 strides"));
  EXPECT_THAT(
      ErrorOfTensor({.shape = std::vector<int32_t>(17, 1), .strides = std::vector<int32_t>(17, 1)}),
      HasSubstr("17 dimensions"));
}

TEST(TorchArchiveTest, RefusesStoragesThatAreMissingOrOfTheWrongSize) {
  EXPECT_THAT(ErrorOfTensor({.key = "7"}), HasSubstr("storage \"7\" is not in the archive"));
  EXPECT_THAT(ErrorOfTensor({.key = "../data.pkl"}), HasSubstr("not in the archive"));
  EXPECT_THAT(ErrorOfTensor({.key = std::string(65, '0')}), HasSubstr("not described"));
  EXPECT_THAT(ErrorOfTensor({.storage_elements = 7}), HasSubstr("should have 7 elements of f32"));
  EXPECT_THAT(ErrorOfTensor({.storage_elements = -6}), HasSubstr("negative"));
  EXPECT_THAT(ErrorOfTensor({.storage_type = "HalfStorage"}), HasSubstr("6 elements of f16"));
  EXPECT_THAT(ErrorOf(Dict({{"w", Tensor()}}), {kStorage + "x"}), HasSubstr("has 25 bytes"));
  EXPECT_THAT(ErrorOf(Dict({{"w", Tensor()}}), {kStorage}, "big"),
              HasSubstr("byte order is \"big\""));
  EXPECT_THAT(ErrorOf(Dict({{"w", Call(Global("torch._utils", "_rebuild_tensor_v2"),
                                       {"N", Int(0), Ints({}), Ints({})})}})),
              HasSubstr("not described"));
}

TEST(TorchArchiveTest, RefusesOtherFiles) {
  const auto error_of = [](const std::string& file) {
    const auto tensors = ReadTorchArchive(AsBytes(file));
    EXPECT_FALSE(tensors.ok());
    return tensors.ok() ? "" : tensors.error().message;
  };
  EXPECT_THAT(error_of(Zip({{"model/other", "x"}})), HasSubstr("no data.pkl"));
  EXPECT_THAT(error_of(Zip({})), HasSubstr("no data.pkl"));
  const std::string magic =
      "\x80\x02\x8a\x0al\xfc\x9c"
      "F\xf9 j\xa8P\x19.";
  EXPECT_THAT(error_of(magic + "\x80\x02M\xe8\x03."), HasSubstr("not of version 1001"));
  EXPECT_THAT(error_of(magic + "\x80\x02M\xe9\x03."), HasSubstr("the machine's pickle: "));
  EXPECT_THAT(error_of("<html>not found</html>"), HasSubstr("not a zip archive"));
}

}  // namespace
}  // namespace embedding
