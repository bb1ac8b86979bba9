#include "engine/token_heads.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/linear_weights.h"
#include "engine/pooling.h"
#include "weights/tensor_store.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

struct Linear {
  std::unique_ptr<LinearLayer> layer;
  size_t out_features;
};

// A torch.nn.Linear saved by itself. Nothing where there is no such file.
Result<std::optional<Linear>> LoadFile(const std::string& directory, const char* file,
                                       size_t in_features, std::optional<size_t> out_features,
                                       Backend& backend) {
  const fs::path path = fs::path(directory) / file;
  if (std::error_code error; !fs::exists(path, error)) return std::optional<Linear>();
  ASSIGN_OR_RETURN(const TensorStore store, TensorStore::OpenFile(path.string()));
  const TensorView* weight = store.Find("weight");
  const bool has_rows = weight != nullptr && !weight->shape.empty() && weight->shape[0] > 0;
  const size_t out =
      out_features.value_or(has_rows ? static_cast<size_t>(weight->shape[0]) : in_features);
  ASSIGN_OR_RETURN(auto layer, LoadLinear(store, "", in_features, out, /*has_bias=*/true,
                                          Activation::kIdentity, backend));
  return std::optional<Linear>({std::move(layer), out});
}

}  // namespace

Result<std::optional<SparseHead>> SparseHead::Load(const std::string& directory, size_t hidden_size,
                                                   const Tokenizer& tokenizer, Backend& backend) {
  ASSIGN_OR_RETURN(std::optional<Linear> linear,
                   LoadFile(directory, kSparseFile, hidden_size, 1, backend));
  if (!linear) return std::optional<SparseHead>();
  SparseHead head;
  head.linear_ = std::move(linear->layer);
  head.hidden_size_ = hidden_size;
  for (const std::string_view token : {"<s>", "</s>", "<pad>", "<unk>"}) {
    if (const auto id = tokenizer.TokenToId(token)) head.unused_ids_.push_back(*id);
  }
  return std::optional<SparseHead>(std::move(head));
}

std::span<const float> SparseHead::Run(std::span<const float> hidden) {
  const size_t tokens = hidden.size() / hidden_size_;
  weights_.Resize(tokens);
  linear_->Apply(tokens, hidden, weights_.span());
  for (float& weight : weights_.span()) weight = std::max(weight, 0.0F);
  return weights_.span();
}

std::vector<TokenWeight> SparseHead::Weights(std::span<const int32_t> input_ids,
                                             std::span<const float> weights) const {
  std::vector<TokenWeight> result;
  std::unordered_map<int32_t, size_t> place_of_id;
  for (size_t i = 0; i < input_ids.size(); ++i) {
    const int32_t id = input_ids[i];
    if (!(weights[i] > 0)) continue;
    if (std::find(unused_ids_.begin(), unused_ids_.end(), id) != unused_ids_.end()) continue;
    const auto [found, is_new] = place_of_id.try_emplace(id, result.size());
    if (is_new) {
      result.push_back({id, weights[i]});
    } else {
      TokenWeight& seen = result[found->second];
      seen.weight = std::max(seen.weight, weights[i]);
    }
  }
  return result;
}

Result<std::optional<ColbertHead>> ColbertHead::Load(const std::string& directory,
                                                     size_t hidden_size, Backend& backend) {
  ASSIGN_OR_RETURN(std::optional<Linear> linear,
                   LoadFile(directory, kColbertFile, hidden_size, std::nullopt, backend));
  if (!linear) return std::optional<ColbertHead>();
  ColbertHead head;
  head.linear_ = std::move(linear->layer);
  head.hidden_size_ = hidden_size;
  head.dimension_ = linear->out_features;
  return std::optional<ColbertHead>(std::move(head));
}

std::span<const float> ColbertHead::Run(std::span<const float> hidden) {
  const size_t tokens = hidden.size() / hidden_size_;
  vectors_.Resize(tokens * dimension_);
  linear_->Apply(tokens, hidden, vectors_.span());
  for (size_t i = 0; i < tokens; ++i) {
    NormalizeL2(vectors_.span().subspan(i * dimension_, dimension_));
  }
  return vectors_.span();
}

}  // namespace embedding
