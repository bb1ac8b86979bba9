#include "model/static_embedding.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/json_value.h"
#include "model/tokenizer_classes.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

constexpr char kTable[] = "embedding.weight";
constexpr char kModel2VecTable[] = "embeddings";
constexpr int64_t kMaxWidth = 65536;
// A mapping of a few bytes a token may stand for a row of many: no table comes near this.
constexpr size_t kMaxTableBytes = size_t{4} << 30;

template <typename T>
T Load(std::span<const std::byte> bytes, size_t i) {
  T number;
  std::memcpy(&number, bytes.data() + i * sizeof(T), sizeof(T));
  return number;
}

// Entry i of the mapping.
int64_t RowOf(const TensorView& mapping, size_t i) {
  return mapping.dtype == DType::kI64 ? Load<int64_t>(mapping.bytes, i)
                                      : Load<int32_t>(mapping.bytes, i);
}

// Numbers for each token: mapping or weights, nullptr if there are none.
Result<const TensorView*> FindVector(const TensorStore& store, const char* name, bool integers) {
  const TensorView* const tensor = store.Find(name);
  if (tensor == nullptr) return tensor;
  const bool is_integer = tensor->dtype == DType::kI64 || tensor->dtype == DType::kI32;
  const bool is_number = tensor->dtype == DType::kF64 || tensor->dtype == DType::kF32 ||
                         tensor->dtype == DType::kF16 || tensor->dtype == DType::kBF16;
  if (tensor->shape.size() != 1 || !(integers ? is_integer : is_number)) {
    return ModelError("tensor {} must be a vector of {}", name,
                      integers ? "i64 or i32" : "floating-point numbers");
  }
  return tensor;
}

// What the weights file says of its table: rows are by token id.
Status ReadSizes(const TensorStore& store, Encoder& encoder) {
  const TensorView* table = store.Find(kTable);
  const bool is_model2vec = table == nullptr;
  if (is_model2vec) table = store.Find(kModel2VecTable);
  if (table == nullptr) {
    return ModelError("there is neither {} nor {} among the tensors", kTable, kModel2VecTable);
  }
  if (table->shape.size() != 2 || table->shape[0] < 1 || table->shape[0] > INT32_MAX ||
      table->shape[1] < 1 || table->shape[1] > kMaxWidth) {
    return ModelError("tensor {} must be a table of 1 to {} columns",
                      is_model2vec ? kModel2VecTable : kTable, kMaxWidth);
  }
  encoder.vocab_size = static_cast<size_t>(table->shape[0]);
  encoder.hidden_size = encoder.embedding_size = static_cast<size_t>(table->shape[1]);
  if (!is_model2vec) return {};
  ASSIGN_OR_RETURN(const TensorView* const mapping, FindVector(store, "mapping", true));
  if (mapping != nullptr) encoder.vocab_size = mapping->elements();
  if (encoder.vocab_size < 1 || encoder.vocab_size > INT32_MAX) {
    return ModelError("tensor mapping must have an entry for each token");
  }
  return {};
}

// StaticEmbedding leaves tokenizer.json's own limit in force.
Result<size_t> ReadLimit(const std::string& path) {
  ASSIGN_OR_RETURN(const JsonValue file, JsonValue::ObjectFromFile(path));
  const auto truncation = file.Find("truncation");
  if (!truncation) return kUnlimitedTokens;
  ASSIGN_OR_RETURN(const int64_t limit, truncation->Integer("max_length", 1, INT32_MAX));
  return std::min(static_cast<size_t>(limit), kUnlimitedTokens);
}

}  // namespace

Result<std::optional<Model2VecConfig>> ReadModel2VecConfig(const std::string& directory) {
  std::optional<Model2VecConfig> read;
  const std::string path = (fs::path(directory) / "config.json").string();
  if (!IsThere(path)) return read;
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path));
  ASSIGN_OR_RETURN(const std::string model_type, config.String("model_type", ""));
  if (model_type != "model2vec") return read;
  read.emplace();
  ASSIGN_OR_RETURN(read->normalize, config.Bool("normalize", false));
  return read;
}

Status ReadStaticEmbedding(ModelSpec& spec) {
  const std::string& directory = spec.transformer_directory;
  ASSIGN_OR_RETURN(const TensorStore store, TensorStore::OpenDirectory(directory));
  Encoder& encoder = spec.architecture.encoder;
  if (Status sizes = ReadSizes(store, encoder); !sizes.ok()) {
    return std::move(sizes).error().At(directory);
  }
  spec.tokenizer.directory = directory;
  spec.tokenizer.path = (fs::path(directory) / "tokenizer.json").string();
  spec.tokenizer.of_class = &PlainTokenizerClass();
  ASSIGN_OR_RETURN(spec.max_seq_length, ReadLimit(spec.tokenizer.path));
  encoder.max_tokens = spec.max_seq_length;
  spec.is_static = true;
  spec.tokenizer.has_token_types = false;
  spec.tokenizer.adds_special_tokens = false;
  return {};
}

Result<TensorView> ReadStaticTable(const Encoder& encoder, const TensorStore& weights) {
  const auto hidden = static_cast<int64_t>(encoder.hidden_size);
  const auto vocabulary = static_cast<int64_t>(encoder.vocab_size);
  if (weights.Find(kTable) != nullptr) {
    return weights.Require(kTable, std::vector<int64_t>{vocabulary, hidden});
  }
  const TensorView* const found = weights.Find(kModel2VecTable);
  if (found == nullptr || found->shape.size() != 2) {
    return ModelError("tensor {} must be a table", kModel2VecTable);
  }
  ASSIGN_OR_RETURN(TensorView table,
                   weights.Require(kModel2VecTable, std::vector<int64_t>{found->shape[0], hidden}));
  ASSIGN_OR_RETURN(const TensorView* const mapping, FindVector(weights, "mapping", true));
  ASSIGN_OR_RETURN(const TensorView* const factors, FindVector(weights, "weights", false));
  if (mapping == nullptr && factors == nullptr) return table;
  if (factors != nullptr && factors->elements() != encoder.vocab_size) {
    return ModelError("tensor weights has {} numbers for {} tokens", factors->elements(),
                      encoder.vocab_size);
  }
  // What is multiplied once here is read for every token.
  const size_t width = encoder.hidden_size;
  std::vector<float> factor_of_token(factors != nullptr ? encoder.vocab_size : 0);
  const size_t bytes = encoder.vocab_size * width * sizeof(float);
  if (bytes > kMaxTableBytes) {
    return ModelError(
        "tensor mapping gives a table of {} bytes, more than the {} that are supported", bytes,
        kMaxTableBytes);
  }
  std::vector<float> numbers(encoder.vocab_size * width);
  if (factors != nullptr) CopyToF32(*factors, factor_of_token);
  for (size_t i = 0; i < encoder.vocab_size; ++i) {
    const int64_t from = mapping != nullptr ? RowOf(*mapping, i) : static_cast<int64_t>(i);
    if (from < 0 || from >= table.shape[0]) {
      return ModelError("tensor mapping has the row {} for token {}, but {} has {} rows", from, i,
                        kModel2VecTable, table.shape[0]);
    }
    const auto row = std::span(numbers).subspan(i * width, width);
    CopyRowsToF32(table, static_cast<size_t>(from), 1, row);
    for (float& number : row) number *= factors != nullptr ? factor_of_token[i] : 1;
  }
  return MakeTensor({vocabulary, hidden}, numbers);
}

}  // namespace embedding
