#include "weights/tensor_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "temp_dir.h"
#include "test_data.h"
#include "weights/builders.h"

namespace embedding {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string OneTensor(const std::string& name, const std::vector<float>& values = kSixFloats) {
  const std::string bytes = TensorBytes(values);
  return Safetensors("{\"" + name + R"(":{"dtype":"F32","shape":[)" +
                         std::to_string(values.size()) + R"(],"data_offsets":[0,)" +
                         std::to_string(bytes.size()) + "]}}",
                     bytes);
}

std::string ErrorOf(const Result<TensorStore>& store) {
  EXPECT_FALSE(store.ok());
  return store.ok() ? "" : store.error().message;
}

// The CRC-32 of zlib, bit by bit.
uint32_t Crc32(std::span<const std::byte> bytes) {
  uint32_t crc = ~0U;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<uint32_t>(byte);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

TEST(TensorStoreTest, ReadsWhatPyTorchAndSafetensorsRead) {
  std::ifstream in(TestData("expected/tensors.json"));
  const nlohmann::json expected = nlohmann::json::parse(in);
  ASSERT_EQ(expected.size(), 5U);
  for (const auto& [file, tensors] : expected.items()) {
    SCOPED_TRACE(file);
    const auto store = TensorStore::OpenFile(TestData(file));
    ASSERT_TRUE(store.ok()) << store.error().message;
    EXPECT_EQ(store->tensors().size(), tensors.size());
    for (const auto& [name, tensor] : tensors.items()) {
      SCOPED_TRACE(name);
      const TensorView* found = store->Find(name);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(DTypeName(found->dtype), tensor.at("dtype"));
      EXPECT_EQ(found->shape, tensor.at("shape").get<std::vector<int64_t>>());
      EXPECT_EQ(Crc32(found->bytes), tensor.at("crc32"));
      if (found->dtype == DType::kI64) continue;
      std::vector<float> values(found->elements());
      CopyToF32(*found, values);
      const auto first = tensor.at("first").get<std::vector<float>>();
      EXPECT_TRUE(std::equal(first.begin(), first.end(), values.begin()));
    }
  }
}

TEST(TensorStoreTest, PrefersSafetensorsOfADirectory) {
  const TempDir dir;
  EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.path())), HasSubstr("no weights"));
  dir.Write("pytorch_model.bin.index.json", R"({"weight_map":{}})");
  EXPECT_TRUE(TensorStore::OpenDirectory(dir.path())->tensors().empty());
  dir.Write("pytorch_model.bin",
            TorchArchive(Pickle(Dict({{"from_bin", Tensor()}})), {TensorBytes(kSixFloats)}));
  EXPECT_NE(TensorStore::OpenDirectory(dir.path())->Find("from_bin"), nullptr);
  dir.Write("model.safetensors.index.json", R"({"weight_map":{"a":"part"}})");
  EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.path())), HasSubstr("/part"));
  dir.Write("model.safetensors", OneTensor("from_safetensors"));
  EXPECT_NE(TensorStore::OpenDirectory(dir.path())->Find("from_safetensors"), nullptr);
}

TEST(TensorStoreTest, ReadsShards) {
  const TempDir dir;
  dir.Write("model.safetensors.index.json",
            R"({"metadata":{"total_size":48},"weight_map":)"
            R"({"a":"model-1.safetensors","b":"model-2.safetensors"}})");
  dir.Write("model-1.safetensors", OneTensor("a", {1, 2}));
  EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.path())),
              AllOf(HasSubstr("model-2.safetensors"), HasSubstr("cannot open")));
  dir.Write("model-2.safetensors", OneTensor("b", {3}));
  const auto store = TensorStore::OpenDirectory(dir.path());
  ASSERT_TRUE(store.ok()) << store.error().message;
  std::vector<float> a(2);
  CopyToF32(*store->Find("a"), a);
  EXPECT_EQ(a, (std::vector<float>{1, 2}));
  float b = 0;
  CopyToF32(*store->Find("b"), {&b, 1});
  EXPECT_EQ(b, 3);

  dir.Write("model-2.safetensors", OneTensor("a"));
  EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.path())),
              AllOf(HasSubstr("model-2"), HasSubstr("\"a\" is in another shard")));
  dir.Write("model-2.safetensors", OneTensor("c"));
  EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.path())),
              HasSubstr("\"b\" is not in \"model-2.safetensors\""));
}

TEST(TensorStoreTest, RefusesShardsOutsideTheDirectory) {
  const TempDir dir;
  const std::string outside = dir.Write("outside.safetensors", OneTensor("a"));
  for (const std::string& shard :
       {std::string("../outside.safetensors"), outside, std::string(".."), std::string(),
        std::string("sub/x.safetensors"), std::string("x\\u0000.safetensors"),
        std::string("\\u001b[2J.safetensors")}) {
    dir.Write("model/model.safetensors.index.json", R"({"weight_map":{"a":")" + shard + "\"}}");
    EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.File("model"))),
                HasSubstr("\"a\" must be in a file of this directory"))
        << shard;
  }
  dir.Write("model/model.safetensors.index.json", R"({"weight_map":{"a":3}})");
  EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.File("model"))), HasSubstr("not in 3"));
  dir.Write("model/model.safetensors.index.json", R"({"weight_map":[]})");
  EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.File("model"))),
              HasSubstr("weight_map must be an object"));
  dir.Write("model/model.safetensors.index.json", "{}");
  EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.File("model"))),
              HasSubstr("weight_map is missing"));
}

TEST(TensorStoreTest, FollowsLinksAsTheHubCacheHasThem) {
  const TempDir dir;
  dir.Write("blobs/1f3a", OneTensor("a"));
  std::filesystem::create_directory(dir.File("snapshot"));
  std::filesystem::create_symlink("../blobs/1f3a", dir.File("snapshot/model.safetensors"));
  EXPECT_TRUE(TensorStore::OpenDirectory(dir.File("snapshot")).ok());
  // A blob that was never fetched is an error, not a reason to look for other weights.
  std::filesystem::remove(dir.File("blobs/1f3a"));
  dir.Write("snapshot/pytorch_model.bin.index.json", R"({"weight_map":{}})");
  EXPECT_THAT(ErrorOf(TensorStore::OpenDirectory(dir.File("snapshot"))),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("cannot open")));
}

TEST(TensorStoreTest, NamesTheFileInErrors) {
  const TempDir dir;
  for (const char* name : {"model.safetensors", "pytorch_model.bin"}) {
    const std::string path = dir.Write(name, "");
    EXPECT_THAT(ErrorOf(TensorStore::OpenFile(path)), HasSubstr(path + ": the file is empty"));
    dir.Write(name, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    EXPECT_THAT(ErrorOf(TensorStore::OpenFile(path)), HasSubstr(path + ": is a Git LFS pointer"));
    dir.Write(name, "neither one nor the other, but long enough");
    EXPECT_THAT(ErrorOf(TensorStore::OpenFile(path)), HasSubstr(path + ": "));
    std::filesystem::remove(path);
    EXPECT_THAT(ErrorOf(TensorStore::OpenFile(path)), HasSubstr(path + ": cannot open"));
    std::filesystem::create_directory(path);
    EXPECT_THAT(ErrorOf(TensorStore::OpenFile(path)), HasSubstr(path + ": not a regular file"));
  }
  const std::string secret = dir.Write("secret.safetensors", OneTensor("a"));
  std::filesystem::permissions(secret, std::filesystem::perms::none);
  if (::geteuid() != 0) {  // root reads everything
    EXPECT_THAT(ErrorOf(TensorStore::OpenFile(secret)),
                HasSubstr("cannot open: Permission denied"));
  }
}

TEST(TensorStoreTest, RequiresNameShapeAndAFloatType) {
  const TempDir dir;
  const std::string path =
      dir.Write("model.safetensors",
                Safetensors(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                            R"("ids":{"dtype":"I64","shape":[1],"data_offsets":[24,32]}})",
                            std::string(32, '\0')));
  const auto store = TensorStore::OpenFile(path);
  ASSERT_TRUE(store.ok()) << store.error().message;
  const auto error_of = [&](std::string_view name, std::vector<int64_t> shape) {
    const auto tensor = store->Require(name, shape);
    EXPECT_FALSE(tensor.ok());
    return tensor.ok() ? "" : tensor.error().message;
  };
  const int64_t shape[] = {2, 3};
  EXPECT_TRUE(store->Require("w", shape).ok());
  EXPECT_THAT(error_of("v", {2, 3}), HasSubstr(path + ": tensor \"v\" of shape [2, 3] is missing"));
  EXPECT_THAT(error_of("w", {3, 2}), HasSubstr("\"w\" must have shape [3, 2], but it has [2, 3]"));
  EXPECT_THAT(error_of("w", {2}), HasSubstr("must have shape [2], but it has [2, 3]"));
  EXPECT_THAT(error_of("ids", {1}),
              HasSubstr("\"ids\" must be f32, f16, bf16 or f64, but it is i64"));
}

TEST(TensorStoreTest, WidensUnalignedTensorsOfEachType) {
  const auto widen = [](DType dtype, const std::string& bytes, size_t elements) {
    const std::string shifted = "x" + bytes;
    const TensorView tensor{.dtype = dtype,
                            .shape = {static_cast<int64_t>(elements)},
                            .bytes = AsBytes(shifted).subspan(1)};
    std::vector<float> out(elements);
    CopyToF32(tensor, out);
    return out;
  };
  EXPECT_EQ(widen(DType::kF32, TensorBytes(kSixFloats), 6), kSixFloats);
  // 1, -2, the largest, the smallest subnormal, infinity
  EXPECT_EQ(widen(DType::kF16, TensorBytes<uint16_t>({0x3C00, 0xC000, 0x7BFF, 0x0001, 0x7C00}), 5),
            (std::vector<float>{1, -2, 65504, 0x1p-24F, HUGE_VALF}));
  EXPECT_EQ(widen(DType::kBF16, TensorBytes<uint16_t>({0x3F80, 0xC000, 0x4049}), 3),
            (std::vector<float>{1, -2, 3.140625F}));
  EXPECT_TRUE(widen(DType::kF32, "", 0).empty());
}

TEST(TensorStoreTest, WidensRows) {
  const std::string bytes = TensorBytes(kSixFloats);
  const TensorView tensor{.dtype = DType::kF32, .shape = {3, 2}, .bytes = AsBytes(bytes)};
  std::vector<float> rows(4);
  CopyRowsToF32(tensor, 1, 2, rows);
  EXPECT_EQ(rows, (std::vector<float>{0.5F, 4, 5, 6}));
}

}  // namespace
}  // namespace embedding
