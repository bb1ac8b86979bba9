// Models whose files have their tensors by other names, in several files, or beside others: the
// numbers stay those of tests/data/make_family_models.py.

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "engine/vectors.h"
#include "temp_dir.h"
#include "test_data.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Tensor {
  std::string dtype;
  std::vector<size_t> shape;
  std::string bytes;
};

using Tensors = std::map<std::string, Tensor>;

Tensors ReadTensors(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(stream), {}};
  uint64_t size = 0;
  std::memcpy(&size, file.data(), sizeof(size));
  const std::string data = file.substr(sizeof(size) + size);
  const json header = json::parse(file.substr(sizeof(size), size));
  Tensors tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto range = entry.at("data_offsets").get<std::pair<size_t, size_t>>();
    tensors[name] = {entry.at("dtype"), entry.at("shape"),
                     data.substr(range.first, range.second - range.first)};
  }
  return tensors;
}

void WriteTensors(const fs::path& path, const Tensors& tensors) {
  json header = json::object();
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", tensor.dtype},
                    {"shape", tensor.shape},
                    {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
    data += tensor.bytes;
  }
  const std::string text = header.dump();
  const uint64_t size = text.size();
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&size), sizeof(size));
  out << text << data;
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

// The tensors of a model, each by the name that `rename` makes of its own.
Tensors Renamed(const Tensors& tensors, const std::function<std::string(std::string)>& rename) {
  Tensors renamed;
  for (const auto& [name, tensor] : tensors) renamed[rename(name)] = tensor;
  return renamed;
}

class TensorNames : public testing::Test {
 protected:
  // A model of the families, and what it gives as it is.
  void Start(const std::string& name) {
    const fs::path families = TestData("families");
    const json references = json::parse(std::ifstream(families / name / "references.json"));
    fs::copy(families / name, directory_, fs::copy_options::recursive);
    fs::copy(
        families / "tokenizers" / references.at("tokenizer").get<std::string>() / "tokenizer.json",
        directory_);
    tensors_ = ReadTensors(directory_ / "model.safetensors");
    expected_ = Vectors();
    ASSERT_FALSE(expected_.empty());
  }

  std::vector<std::vector<float>> Vectors() const {
    const auto embedder = Embedder::Load({.model_directory = directory_.string(),
                                          .compute_type = ComputeType::kF32,
                                          .device = {TEST_DEVICE}});
    EXPECT_TRUE(embedder.ok()) << embedder.error().message;
    if (!embedder.ok()) return {};
    return EmbedAll(**embedder, kTexts, true);
  }

  void ExpectTheSame() const { EXPECT_EQ(Vectors(), expected_); }

  void ExpectTheSame(const Tensors& tensors) const {
    WriteTensors(directory_ / "model.safetensors", tensors);
    ExpectTheSame();
  }

  const std::vector<std::string> kTexts = {"what is a panda?", "", "Привет, мир!"};
  const TempDir temp_dir_;
  const fs::path directory_ = temp_dir_.File("model");
  Tensors tensors_;
  std::vector<std::vector<float>> expected_;
};

TEST_F(TensorNames, MayHaveThePrefixOfTheWholeModelOrOfTheModule) {
  for (const auto& [model, prefix] :
       {std::pair("bert", "bert."), std::pair("bert", "0.auto_model."),
        std::pair("roberta", "roberta."), std::pair("modernbert", "model."),
        std::pair("mpnet", "mpnet."), std::pair("distilbert", "distilbert.")}) {
    SCOPED_TRACE(std::string(model) + " " + prefix);
    fs::remove_all(directory_);
    ASSERT_NO_FATAL_FAILURE(Start(model));
    const std::string before = prefix;
    ExpectTheSame(Renamed(tensors_, [&](const std::string& name) { return before + name; }));
  }
}

TEST_F(TensorNames, MayCallTheNormsGammaAndBeta) {
  ASSERT_NO_FATAL_FAILURE(Start("bert"));
  ExpectTheSame(Renamed(tensors_, [](const std::string& name) {
    return Replaced(Replaced(name, "LayerNorm.weight", "LayerNorm.gamma"), "LayerNorm.bias",
                    "LayerNorm.beta");
  }));
}

TEST_F(TensorNames, OthersMayLieBesideThem) {
  ASSERT_NO_FATAL_FAILURE(Start("modernbert"));
  Tensors tensors = Renamed(tensors_, [](const std::string& name) { return "model." + name; });
  // A head's, which is tied to the table, and a buffer of old files.
  tensors["decoder.weight"] = tensors.at("model.embeddings.tok_embeddings.weight");
  tensors["head.dense.weight"] = tensors.at("model.layers.0.attn.Wo.weight");
  tensors["model.embeddings.position_ids"] = {"I64", {1, 2}, std::string(16, '\0')};
  ExpectTheSame(tensors);
}

TEST_F(TensorNames, MayHaveOneNameOfATableThatIsTied) {
  ASSERT_NO_FATAL_FAILURE(Start("t5"));
  ExpectTheSame(Renamed(tensors_, [](const std::string& name) {
    return Replaced(name, "shared.weight", "encoder.embed_tokens.weight");
  }));
}

TEST_F(TensorNames, OfADecoderAreLeftOut) {
  ASSERT_NO_FATAL_FAILURE(Start("t5"));
  Tensors tensors = tensors_;
  for (const auto& [name, tensor] : tensors_) {
    if (name.starts_with("encoder.")) tensors[Replaced(name, "encoder.", "decoder.")] = tensor;
  }
  tensors["lm_head.weight"] = tensors_.at("shared.weight");
  ExpectTheSame(tensors);
}

// The rows of a tensor in equal parts.
std::vector<Tensor> Parts(const Tensor& tensor, size_t count) {
  std::vector<Tensor> parts(count, tensor);
  const size_t size = tensor.bytes.size() / count;
  for (size_t i = 0; i < count; ++i) {
    parts[i].shape[0] /= count;
    parts[i].bytes = tensor.bytes.substr(i * size, size);
  }
  return parts;
}

TEST_F(TensorNames, MayBeThoseThatTransformersHasInMemory) {
  ASSERT_NO_FATAL_FAILURE(Start("nomic"));
  const std::pair<const char*, const char*> kNames[] = {{"encoder.layers", "layers"},
                                                        {"emb_ln", "embeddings.LayerNorm"},
                                                        {"attn.out_proj", "self_attn.o_proj"},
                                                        {"fc11", "up_proj"},
                                                        {"fc12", "gate_proj"},
                                                        {"fc2", "down_proj"},
                                                        {"norm1", "post_attention_layernorm"},
                                                        {"norm2", "post_mlp_layernorm"}};
  Tensors tensors = Renamed(tensors_, [&](std::string name) {
    for (const auto& [from, to] : kNames) name = Replaced(name, from, to);
    return name;
  });
  for (const auto& [name, tensor] : Tensors(tensors)) {
    if (name.find("Wqkv") == std::string::npos) continue;
    const std::vector<Tensor> parts = Parts(tensor, 3);
    const char* const kParts[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"};
    for (size_t i = 0; i < 3; ++i) tensors[Replaced(name, "attn.Wqkv", kParts[i])] = parts[i];
    tensors.erase(name);
  }
  ExpectTheSame(tensors);
}

TEST_F(TensorNames, MayBeSpreadOverFiles) {
  ASSERT_NO_FATAL_FAILURE(Start("modernbert"));
  std::vector<Tensors> files(3);
  json index = {{"metadata", {{"total_size", 0}}}, {"weight_map", json::object()}};
  size_t i = 0;
  for (const auto& [name, tensor] : tensors_) {
    const size_t file = i++ % files.size();
    files[file][name] = tensor;
    index["weight_map"][name] = "model-0000" + std::to_string(file + 1) + "-of-00003.safetensors";
  }
  for (size_t file = 0; file < files.size(); ++file) {
    WriteTensors(directory_ / ("model-0000" + std::to_string(file + 1) + "-of-00003.safetensors"),
                 files[file]);
  }
  fs::remove(directory_ / "model.safetensors");
  std::ofstream(directory_ / "model.safetensors.index.json") << index;
  ExpectTheSame();
}

}  // namespace
}  // namespace embedding
