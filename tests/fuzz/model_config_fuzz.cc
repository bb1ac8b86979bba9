// The JSON files of a model's directory. The input is the files of kFiles in their order, divided
// by NULs; an empty one is not there.
#include <cmath>
#include <optional>
#include <string>

#include "fuzz/check.h"
#include "fuzz/files_in_memory.h"
#include "fuzz/json_mutator.h"
#include "model/model_spec.h"
#include "temp_dir.h"
#include "weights/builders.h"
#include "weights/tensor_store.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFiles[] = {"config.json",
                                  "modules.json",
                                  "1_Pooling/config.json",
                                  "2_Dense/config.json",
                                  "sentence_bert_config.json",
                                  "tokenizer_config.json",
                                  "config_sentence_transformers.json",
                                  "model.safetensors.index.json",
                                  "special_tokens_map.json",
                                  "added_tokens.json"};

// The directory, in memory where there is such a file system, and what is in its files.
class ModelDirectory {
 public:
  ModelDirectory() {
    directory_.Write("weights.safetensors", Safetensors("{}", ""));
    for (const char* file : kFiles) {
      fs::create_directories(fs::path(directory_.File(file)).parent_path());
    }
  }

  void Fill(std::string_view input) {
    for (size_t i = 0; i < std::size(kFiles); ++i) {
      const std::string_view content = TakePart(input, '\0');
      if (content == contents_[i]) continue;
      contents_[i] = content;
      if (content.empty()) {
        fs::remove(directory_.File(kFiles[i]));
      } else {
        directory_.Write(kFiles[i], content);
      }
    }
  }

  const std::string& path() const { return directory_.path(); }

 private:
  TempDir directory_;
  std::string contents_[std::size(kFiles)];
};

bool IsNorm(const std::optional<Norm>& norm) { return !norm || (norm->eps > 0 && norm->eps <= 1); }

void CheckLayer(const Layer& layer) {
  const Attention& attention = layer.attention;
  FUZZ_CHECK(attention.heads > 0 && attention.kv_heads > 0 && attention.head_dim > 0);
  FUZZ_CHECK(attention.heads % attention.kv_heads == 0);
  FUZZ_CHECK(std::isfinite(attention.scale) && attention.scale > 0);
  if (attention.rope) {
    FUZZ_CHECK(attention.rope->rotated() > 0 && attention.rope->rotated() <= attention.head_dim);
    FUZZ_CHECK(std::isfinite(attention.rope->factor));
    for (const float frequency : attention.rope->frequencies) {
      FUZZ_CHECK(std::isfinite(frequency) && frequency >= 0);
    }
  }
  FUZZ_CHECK(layer.feed_forward.width > 0);
  if (const auto& experts = layer.feed_forward.experts) {
    FUZZ_CHECK(experts->chosen > 0 && experts->chosen <= experts->count);
  }
  for (const HalfNorms& half : {layer.attention_norms, layer.feed_forward_norms}) {
    FUZZ_CHECK(IsNorm(half.input) && IsNorm(half.branch) && IsNorm(half.output));
  }
}

void CheckEncoder(const Encoder& encoder) {
  FUZZ_CHECK(encoder.hidden_size > 0 && encoder.embedding_size > 0 && encoder.vocab_size > 0);
  FUZZ_CHECK(IsNorm(encoder.embeddings_norm) && IsNorm(encoder.final_norm));
  for (const Layer& layer : encoder.layers) {
    CheckLayer(layer);
    FUZZ_CHECK(layer.weights < encoder.layers.size());
  }
  if (encoder.positions.count > 0) {
    FUZZ_CHECK(encoder.positions.first + encoder.max_tokens <= encoder.positions.count);
  }
  FUZZ_CHECK(!encoder.adapters || std::isfinite(encoder.adapters->scale));
  if (const auto& bias = encoder.relative_bias) {
    FUZZ_CHECK(bias->buckets >= 4 && bias->max_distance > bias->buckets / 4);
  }
  if (const auto& relative = encoder.disentangled) {
    FUZZ_CHECK(relative->span > 0);
    FUZZ_CHECK(relative->buckets == 0 || relative->max_distance > relative->buckets / 2 + 1);
  }
}

void CheckSpec(const ModelSpec& spec) {
  const Encoder& encoder = spec.encoder();
  FUZZ_CHECK(encoder.hidden_size > 0 && encoder.layers.empty() == spec.is_static);
  CheckEncoder(encoder);
  FUZZ_CHECK(spec.max_seq_length >= 1 && spec.max_seq_length <= encoder.max_tokens);
  const Heads& heads = spec.heads();
  FUZZ_CHECK(heads.pooled.has_value() + heads.classifier.has_value() + heads.scores.has_value() ==
             1);
  FUZZ_CHECK(heads.pooled.has_value() != spec.is_classifier());
  const PooledVector pooled = heads.pooled   ? *heads.pooled
                              : heads.scores ? *heads.scores
                                             : PooledVector();
  FUZZ_CHECK(!pooled.pooling.empty());
  size_t width = pooled.pooling.size() * encoder.hidden_size;
  for (const VectorModule& module : pooled.modules) {
    const auto* const dense = std::get_if<DenseModule>(&module);
    if (dense == nullptr) continue;
    FUZZ_CHECK(dense->in_features == width);
    width = dense->out_features;
    FUZZ_CHECK(dense->directory.find('\0') == std::string::npos);
    const fs::path inside =
        fs::path(dense->directory).lexically_normal().lexically_relative(spec.directory);
    FUZZ_CHECK(!inside.empty() && *inside.begin() != "..");
  }
  FUZZ_CHECK(!spec.default_prompt_name || spec.prompts.contains(*spec.default_prompt_name));
  for (const std::string& label : spec.labels) FUZZ_CHECK(IsUtf8(label));
  for (const auto& [name, prompt] : spec.prompts) FUZZ_CHECK(IsUtf8(name) && IsUtf8(prompt));
}

}  // namespace
}  // namespace embedding

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  static ModelDirectory model;
  model.Fill(AsString(data, size));
  const Result<ModelSpec> spec = ReadModelSpec(model.path());
  spec.ok() ? CheckSpec(*spec) : CheckModelError(spec.error());
  const Result<TensorStore> weights = TensorStore::OpenDirectory(model.path());
  if (!weights.ok()) CheckModelError(weights.error());
  return 0;
}
