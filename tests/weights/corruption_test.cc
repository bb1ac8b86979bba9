// Every file that can be made out of a good one by cutting it anywhere or changing any byte gives
// an error or tensors inside the file; sanitizers see that nothing else is touched.

#include <gtest/gtest.h>

#include <memory>

#include "weights/builders.h"
#include "weights/safetensors.h"
#include "weights/torch_archive.h"

namespace embedding {
namespace {

using namespace std::string_literals;

using Reader = Result<TensorMap> (*)(std::span<const std::byte>);

struct Sample {
  const char* name;
  Reader read;
  std::string file;
  size_t tensors;
};

std::vector<Sample> Samples() {
  const std::string storage = TensorBytes(kSixFloats);
  const std::string parameter =
      Call(Global("torch._utils", "_rebuild_parameter"), {Tensor({.key = "1"}), "\x88"});
  const std::string pickle =
      Pickle(Global("collections", "OrderedDict") + ")Rq\1(" + Str("a") + Tensor() + "q\2" +
             Str("b") + parameter + Str("tied") + "h\2u}b");
  const std::vector<ZipPart> parts = {{.name = "m/data.pkl", .content = pickle},
                                      {.name = "m/byteorder", .content = "little"},
                                      {.name = "m/data/0", .content = storage, .zip64 = true},
                                      {.name = "m/data/1", .content = storage}};
  return {{"safetensors", &ReadSafetensors,
           Safetensors(R"({"__metadata__":{"format":"pt"},)"
                       R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                       R"("b":{"dtype":"F16","shape":[2,1],"data_offsets":[24,28]}} )",
                       storage + "1234"),
           2},
          {"zip", &ReadTorchArchive, Zip(parts, {.comment = "comment"}), 3},
          {"zip64", &ReadTorchArchive, Zip(parts, {.zip64_end = true}), 3}};
}

// Reads a copy that ends where its memory ends, and touches all that the tensors show.
bool ReadsCopy(Reader read, std::string_view file) {
  const std::unique_ptr<std::byte[]> copy(new std::byte[file.size()]);
  std::memcpy(copy.get(), file.data(), file.size());
  const Result<TensorMap> tensors = read({copy.get(), file.size()});
  if (!tensors.ok()) {
    EXPECT_EQ(tensors.error().code, ErrorCode::kModelLoad);
    EXPECT_FALSE(tensors.error().message.empty());
    EXPECT_LT(tensors.error().message.size(), 1000U);
    return false;
  }
  for (const auto& [name, tensor] : *tensors) {
    size_t elements = 1;
    for (const int64_t n : tensor.shape) elements *= static_cast<size_t>(n);
    EXPECT_EQ(tensor.bytes.size(), elements * DTypeBytes(tensor.dtype));
    EXPECT_TRUE(tensor.bytes.empty() || tensor.copy != nullptr ||
                (tensor.bytes.data() >= copy.get() &&
                 tensor.bytes.data() + tensor.bytes.size() <= copy.get() + file.size()));
  }
  return true;
}

TEST(CorruptionTest, SamplesAreGood) {
  for (const Sample& sample : Samples()) {
    const Result<TensorMap> tensors = sample.read(AsBytes(sample.file));
    ASSERT_TRUE(tensors.ok()) << sample.name << ": " << tensors.error().message;
    EXPECT_EQ(tensors->size(), sample.tensors);
  }
}

TEST(CorruptionTest, EveryTruncationIsAnError) {
  for (const Sample& sample : Samples()) {
    for (size_t size = 0; size < sample.file.size(); ++size) {
      EXPECT_FALSE(ReadsCopy(sample.read, std::string_view(sample.file).substr(0, size)))
          << sample.name << " cut to " << size << " bytes";
    }
  }
}

TEST(CorruptionTest, EveryChangedByteGivesAnErrorOrTensorsInsideTheFile) {
  for (const Sample& sample : Samples()) {
    for (size_t i = 0; i < sample.file.size(); ++i) {
      std::string file = sample.file;
      const auto try_value = [&](char value) {
        file[i] = value;
        ReadsCopy(sample.read, file);
        file[i] = sample.file[i];
      };
      for (int bit = 0; bit < 8; ++bit) {
        try_value(static_cast<char>(static_cast<uint8_t>(file[i]) ^ (1U << bit)));
      }
      // Values that mean something: opcodes, JSON's signs, the ends of the range.
      for (const char value : "(.0)Natu}]hqRQb\x93\xFF\"{-9"s) try_value(value);
    }
  }
}

TEST(CorruptionTest, EveryInsertedOrRemovedByteGivesAnErrorOrTensorsInsideTheFile) {
  for (const Sample& sample : Samples()) {
    for (size_t i = 0; i < sample.file.size(); ++i) {
      std::string shorter = sample.file;
      shorter.erase(i, 1);
      ReadsCopy(sample.read, shorter);
      for (const char inserted : {'\0', '\xFF', '(', '['}) {
        std::string longer = sample.file;
        longer.insert(i, 1, inserted);
        ReadsCopy(sample.read, longer);
      }
    }
  }
}

}  // namespace
}  // namespace embedding
