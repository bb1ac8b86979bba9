// Reranking: how well texts answer a query, by whatever the model has for it.
//
// A classifier (cross-encoder) reads query and text together; its one logit is the score, or, put
// through a sigmoid, a score between 0 and 1. An embedding model reads them apart, and the score
// compares what it made of them, as FlagEmbedding's compute_score does:
//   dense    the cosine of the two vectors, from -1 to 1, or what ModelInfo::similarity says:
//            their dot product, or minus their distance
//   sparse   the sum, over the token ids that both have, of the product of their weights
//   ColBERT  the mean, over the query's vectors, of the largest dot product with one of the text's
//   hybrid   the mean of the three, weighted
// Where texts take different ways through the model, the query takes that of queries, and the texts
// that of documents (ModelInfo::routes).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "embedding/engine.h"
#include "embedding/request.h"

namespace embedding {

enum class RerankMode { kDense, kSparse, kColbert, kHybrid };

struct RerankRequest {
  std::string query;
  std::vector<std::string> texts;
  RerankMode mode = RerankMode::kDense;   // of an embedding model
  std::array<float, 3> weights{1, 1, 1};  // of dense, sparse and ColBERT in kHybrid; not all 0
  bool raw_scores = false;                // a classifier's logits as they are
  bool truncate = true;
  std::optional<TruncationSide> truncation_side;  // as EmbedRequest has it
  std::optional<size_t> max_tokens;               // as EmbedRequest's, of text and query together
  std::optional<std::string> prompt_name;  // an embedding model's, put before query and texts
  std::shared_ptr<const std::atomic<bool>> cancelled;
  ByteBudget* answer_budget = nullptr;  // as EmbedRequest's
  std::string client;                   // as EmbedRequest's
};

struct RerankResponse {
  std::vector<float> scores;  // [texts], in the order of the request
  size_t prompt_tokens = 0;
  size_t characters = 0;
  size_t truncated_texts = 0;
  size_t texts = 0;  // that the model was given: for an embedding model, the query too
  std::optional<size_t> cached_texts = {};  // as EmbedResponse's
  Timings timings;
  ByteCharge charge;  // see RerankRequest::answer_budget
};

using RerankDone = std::function<void(Result<RerankResponse>)>;

// As Embedder::EmbedAsync, but takes the request as its own. Errors besides: kUnsupported for heads
// that the model lacks, and for a classifier with more than one label.
void RerankAsync(Embedder& embedder, RerankRequest request, RerankDone done);

}  // namespace embedding
