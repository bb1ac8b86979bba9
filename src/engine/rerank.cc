#include "engine/rerank.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>

namespace embedding {
namespace {

// Of vectors of length 1, whose product may be 1.0000001 for what was rounded.
float Cosine(std::span<const float> a, std::span<const float> b) {
  return std::clamp(std::inner_product(a.begin(), a.end(), b.begin(), 0.0F), -1.0F, 1.0F);
}

float SparseScore(const std::vector<TokenWeight>& query, const std::vector<TokenWeight>& text) {
  std::unordered_map<int32_t, float> weight_of_id;
  for (const TokenWeight& token : query) weight_of_id.emplace(token.id, token.weight);
  float score = 0;
  for (const TokenWeight& token : text) {
    if (const auto found = weight_of_id.find(token.id); found != weight_of_id.end()) {
      score += found->second * token.weight;
    }
  }
  return score;
}

// query is [rows, dimension], text [rows, dimension].
float ColbertScore(std::span<const float> query, std::span<const float> text, size_t dimension) {
  float sum = 0;
  for (size_t q = 0; q < query.size(); q += dimension) {
    float best = -std::numeric_limits<float>::infinity();
    for (size_t t = 0; t < text.size(); t += dimension) {
      best = std::max(best, Cosine(query.subspan(q, dimension), text.subspan(t, dimension)));
    }
    sum += best;
  }
  if (query.empty() || text.empty()) return 0;
  const size_t rows = query.size() / dimension;
  return sum / static_cast<float>(rows);
}

// The response has the texts, then the query.
std::vector<float> Scores(RerankMode mode, const std::array<float, 3>& weights, size_t texts,
                          const EmbedResponse& response) {
  const float total = weights[0] + weights[1] + weights[2];
  std::vector<float> scores;
  for (size_t i = 0; i < texts; ++i) {
    const auto dense = [&] { return Cosine(response.embedding(texts), response.embedding(i)); };
    const auto sparse = [&] {
      return SparseScore(response.lexical_weights[texts], response.lexical_weights[i]);
    };
    const auto colbert = [&] {
      return ColbertScore(response.colbert_vecs[texts], response.colbert_vecs[i],
                          response.colbert_dimension);
    };
    switch (mode) {
      case RerankMode::kDense:
        scores.push_back(dense());
        break;
      case RerankMode::kSparse:
        scores.push_back(sparse());
        break;
      case RerankMode::kColbert:
        scores.push_back(colbert());
        break;
      case RerankMode::kHybrid:
        scores.push_back((weights[0] * dense() + weights[1] * sparse() + weights[2] * colbert()) /
                         total);
        break;
    }
  }
  return scores;
}

EmbedRequest OfBoth(const RerankRequest& request) {
  EmbedRequest embed;
  embed.truncate = request.truncate;
  embed.truncation_side = request.truncation_side;
  embed.max_tokens = request.max_tokens;
  embed.prompt_name = request.prompt_name;
  embed.cancelled = request.cancelled;
  embed.answer_budget = request.answer_budget;
  embed.client = request.client;
  return embed;
}

// What is wrong with text `query` is wrong with the query.
Error NameQuery(Error error, size_t query) {
  const std::string field = fmt::format("texts[{}]", query);
  if (error.field != field) return error;
  if (error.message.starts_with(field)) error.message.replace(0, field.size(), "query");
  error.field = "query";
  return error;
}

RerankResponse WithScores(std::vector<float> scores, EmbedResponse& response) {
  return {.scores = std::move(scores),
          .prompt_tokens = response.prompt_tokens,
          .characters = response.characters,
          .truncated_texts = response.truncated_texts,
          .texts = response.texts,
          .cached_texts = response.cached_texts,
          .timings = response.timings,
          .charge = std::move(response.charge)};
}

void RerankByClassifier(Embedder& embedder, RerankRequest request, RerankDone done) {
  if (embedder.info().labels.size() != 1) {
    return done(Error{ErrorCode::kUnsupported,
                      fmt::format("model {} has {} labels; a reranker has one",
                                  embedder.info().name, embedder.info().labels.size()),
                      ""});
  }
  EmbedRequest embed = OfBoth(request);
  embed.query = std::move(request.query);
  embed.texts = std::move(request.texts);
  embed.outputs = {.dense = false, .logits = true};
  embedder.EmbedAsync(
      embed, [raw = request.raw_scores, done = std::move(done)](Result<EmbedResponse> response) {
        if (!response.ok()) return done(std::move(response).error());
        RerankResponse answer = WithScores(std::move(response->logits), *response);
        if (!raw) {
          for (float& score : answer.scores) score = 1 / (1 + std::exp(-score));
        }
        done(std::move(answer));
      });
}

void RerankByVectors(Embedder& embedder, RerankRequest request, RerankDone done) {
  EmbedRequest embed = OfBoth(request);
  embed.texts = std::move(request.texts);
  embed.texts.push_back(std::move(request.query));
  const bool hybrid = request.mode == RerankMode::kHybrid;
  embed.outputs = {.dense = hybrid || request.mode == RerankMode::kDense,
                   .lexical_weights = hybrid || request.mode == RerankMode::kSparse,
                   .colbert_vecs = hybrid || request.mode == RerankMode::kColbert};
  const size_t texts = embed.texts.size() - 1;
  const auto score = [mode = request.mode, weights = request.weights,
                      texts](EmbedResponse& response) {
    return WithScores(Scores(mode, weights, texts, response), response);
  };
  embedder.EmbedAsync(
      embed, [score, texts, done = std::move(done)](Result<EmbedResponse> response) {
        if (!response.ok()) return done(NameQuery(std::move(response).error(), texts));
        Result<RerankResponse> answer = Error{ErrorCode::kInternal, "out of memory", ""};
        try {
          answer = score(*response);
        } catch (const std::exception&) {  // what it is already
        }
        done(std::move(answer));
      });
}

}  // namespace

void RerankAsync(Embedder& embedder, RerankRequest request, RerankDone done) {
  if (request.texts.empty()) {
    return done(Error{ErrorCode::kEmpty, "no texts were given", "texts"});
  }
  if (embedder.info().is_classifier()) {
    RerankByClassifier(embedder, std::move(request), std::move(done));
  } else {
    RerankByVectors(embedder, std::move(request), std::move(done));
  }
}

}  // namespace embedding
