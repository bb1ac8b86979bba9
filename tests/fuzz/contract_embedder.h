// An Embedder without a model that answers everything that Embedder::EmbedAsync may be asked, at
// once and with vectors made of the texts' lengths.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "text/tokenizer.h"

namespace embedding {

class ContractEmbedder final : public Embedder {
 public:
  // With labels it is a classifier.
  ContractEmbedder(std::string name, const Tokenizer& tokenizer, std::vector<std::string> labels)
      : tokenizer_(tokenizer) {
    info_ = {.name = std::move(name),
             .device = "cpu",
             .dtype = "f32",
             .dimension = labels.empty() ? size_t{12} : 0,
             .max_input_tokens = 16,
             .has_sparse = true,
             .has_colbert = true,
             .labels = std::move(labels),
             .pooling = "cls"};
  }

  void EmbedAsync(const EmbedRequest& request, Done done) override { done(Compute(request)); }
  Status health() const override { return {}; }
  Result<std::string> Prompt(const std::optional<std::string>& /*name*/) const override {
    return std::string("query: ");
  }
  std::vector<DeviceState> devices() const override { return {}; }
  uint64_t turns() override { return 0; }
  const ModelInfo& info() const override { return info_; }
  const Tokenizer& tokenizer() const override { return tokenizer_; }

 private:
  Result<EmbedResponse> Compute(const EmbedRequest& request) const {
    const Outputs& outputs = request.outputs;
    const size_t dimension = request.dimensions.value_or(info_.dimension);
    if (request.size() == 0) return Error{ErrorCode::kEmpty, "no texts were given", "texts"};
    if (info_.is_classifier() != outputs.logits) {
      return Error{ErrorCode::kUnsupported, "the model has no such output", ""};
    }
    if (outputs.dense && (dimension < 1 || dimension > info_.dimension)) {
      return Error{ErrorCode::kInvalidArgument, "dimensions is out of range", "dimensions"};
    }
    EmbedResponse response;
    response.dimension = dimension;
    response.colbert_dimension = 2;
    response.hidden_size = 3;
    for (size_t i = 0; i < request.size(); ++i) {
      const size_t tokens =
          request.input_ids.empty() ? request.texts[i].size() : request.input_ids[i].size();
      if (tokens > info_.max_input_tokens && !request.truncate) {
        return Error{ErrorCode::kInvalidArgument, "too long", "texts[" + std::to_string(i) + "]"};
      }
      const auto value = static_cast<float>(tokens) - 3.5F;
      response.prompt_tokens += tokens;
      response.truncated_texts += tokens > info_.max_input_tokens ? 1 : 0;
      if (outputs.dense) response.embeddings.resize(response.embeddings.size() + dimension, value);
      if (outputs.lexical_weights) response.lexical_weights.push_back({{7, 4.0F}, {9, value}});
      if (outputs.colbert_vecs) response.colbert_vecs.emplace_back(2 * tokens, 0.5F);
      if (outputs.token_embeddings) response.token_embeddings.emplace_back(3 * tokens, value);
      if (outputs.logits) {
        response.logits.resize(response.logits.size() + info_.labels.size(), value);
      }
    }
    return response;
  }

  ModelInfo info_;
  const Tokenizer& tokenizer_;
};

}  // namespace embedding
