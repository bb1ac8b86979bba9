#include "model/sparse_static_embedding.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/json_value.h"
#include "model/tokenizer_config.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

constexpr char kTable[] = "weight";

// The module's own file, which says how it was trained, and might say that the weights are
// elsewhere.
Status CheckConfig(const std::string& path) {
  if (!IsThere(path)) return {};
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path));
  if (!config.Has("path")) return {};
  return ModelError(
      "{}: path: weights in a JSON file are not read; supported is a model.safetensors beside it, "
      "as sentence-transformers saves the module",
      path);
}

}  // namespace

Status ReadSparseStaticEmbedding(ModelSpec& spec) {
  const std::string& directory = spec.transformer_directory;
  RETURN_IF_ERROR(CheckConfig((fs::path(directory) / "config.json").string()));
  ASSIGN_OR_RETURN(const TensorStore store, TensorStore::OpenDirectory(directory));
  const TensorView* const table = store.Find(kTable);
  if (table == nullptr) return ModelError("{}: there is no tensor {}", directory, kTable);
  if (table->shape.size() != 1 || table->shape[0] < 1 || table->shape[0] > INT32_MAX) {
    return ModelError("{}: tensor {} must be a vector of a number for each token", directory,
                      kTable);
  }
  ASSIGN_OR_RETURN(spec.tokenizer, ReadTokenizerConfig(directory, "", "", ""));
  spec.tokenizer.has_token_types = false;
  spec.tokenizer.adds_special_tokens = false;
  Encoder& encoder = spec.architecture.encoder;
  encoder.vocab_size = static_cast<size_t>(table->shape[0]);
  encoder.hidden_size = encoder.embedding_size = 1;
  encoder.max_tokens = kUnlimitedTokens;
  spec.max_seq_length =
      std::min(spec.tokenizer.model_max_length.value_or(kUnlimitedTokens), encoder.max_tokens);
  spec.architecture.heads =
      Heads{.token_weights = TokenWeights{.activation = Activation::kIdentity}};
  spec.is_static = true;
  return {};
}

Result<Tensors> ReadTokenWeightTable(const Encoder& encoder, const TensorStore& weights) {
  const auto vocabulary = static_cast<int64_t>(encoder.vocab_size);
  Tensors tensors;
  ASSIGN_OR_RETURN(tensors.encoder.word_embeddings,
                   weights.Require(kTable, std::vector<int64_t>{vocabulary}));
  tensors.encoder.word_embeddings.shape = {vocabulary, 1};
  constexpr float kAsItIs[] = {1};
  tensors.heads.token_weights =
      LinearTensors{.name = kTable, .weight = MakeTensor({1, 1}, kAsItIs), .bias = {}};
  return tensors;
}

}  // namespace embedding
