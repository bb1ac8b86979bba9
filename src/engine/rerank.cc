#include "engine/rerank.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

namespace embedding {
namespace {

float Dot(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

// Of vectors of length 1, whose product may be 1.0000001 for what was rounded.
float Cosine(std::span<const float> a, std::span<const float> b) {
  return std::clamp(Dot(a, b), -1.0F, 1.0F);
}

// For kCosine the vectors are of length 1.
float DenseScore(Similarity similarity, std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  switch (similarity) {
    case Similarity::kCosine:
      return Cosine(a, b);
    case Similarity::kDot:
      return Dot(a, b);
    case Similarity::kEuclidean:
      for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
      return -std::sqrt(sum);
    case Similarity::kManhattan:
      for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
      return -sum;
  }
  return 0;
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

// How dense vectors are compared.
struct Comparison {
  Similarity similarity;
  size_t dimension;  // of their components, the first
};

// The response has the texts, then the query.
std::vector<float> Scores(RerankMode mode, const std::array<float, 3>& weights,
                          const Comparison& comparison, size_t texts,
                          const EmbedResponse& response) {
  const float total = weights[0] + weights[1] + weights[2];
  std::vector<float> scores;
  for (size_t i = 0; i < texts; ++i) {
    const auto dense = [&] {
      return DenseScore(comparison.similarity,
                        response.embedding(texts).first(comparison.dimension),
                        response.embedding(i).first(comparison.dimension));
    };
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

// The error of a request's only text, as text number `number`.
Error AsTextNumber(Error error, size_t number) {
  const std::string field = "texts[0]";
  if (error.field != field) return error;
  error.field = fmt::format("texts[{}]", number);
  if (error.message.starts_with(field)) error.message.replace(0, field.size(), error.field);
  return error;
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

// The texts' response, to which the query's is added as that of one text more.
void AddQuery(const EmbedResponse& query, EmbedResponse& texts) {
  const auto append = [](const auto& from, auto& to) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(query.embeddings, texts.embeddings);
  append(query.lexical_weights, texts.lexical_weights);
  append(query.colbert_vecs, texts.colbert_vecs);
  texts.prompt_tokens += query.prompt_tokens;
  texts.characters += query.characters;
  texts.truncated_texts += query.truncated_texts;
  texts.texts += query.texts;
  if (texts.cached_texts) *texts.cached_texts += query.cached_texts.value_or(0);
  texts.timings.tokenization += query.timings.tokenization;
  texts.timings.lookup += query.timings.lookup;
  texts.timings.queue += query.timings.queue;
  texts.timings.inference += query.timings.inference;
}

// Where a model has a route for queries and one for documents, and the request does not name one
// for both.
bool HasItsOwnRoutes(const ModelInfo& info, const RerankRequest& request) {
  const auto has = [&](const char* name) {
    return std::find(info.routes.begin(), info.routes.end(), name) != info.routes.end();
  };
  return !request.prompt_name && has("query") && has("document");
}

// The answers of two requests, of which the last to come answers for both.
struct Both {
  std::optional<Result<EmbedResponse>> texts;
  std::optional<Result<EmbedResponse>> query;
  std::atomic<int> waiting = 2;
};

Result<EmbedResponse> Join(Both& both) noexcept {
  if (!both.texts->ok()) return std::move(*both.texts).error();
  const size_t texts = (**both.texts).texts;
  try {
    if (!both.query->ok()) return AsTextNumber(std::move(*both.query).error(), texts);
    AddQuery(**both.query, **both.texts);
    return *std::move(*both.texts);
  } catch (const std::exception&) {
    return Error{ErrorCode::kInternal, "out of memory", ""};  // short: it takes none itself
  }
}

// Embeds the texts, the last of which is the query, each by its route.
void EmbedByRoutes(Embedder& embedder, EmbedRequest embed, const Embedder::Done& done) {
  EmbedRequest query = embed;
  query.texts = {std::move(embed.texts.back())};
  query.prompt_name = "query";
  embed.texts.pop_back();
  embed.prompt_name = "document";
  const auto both = std::make_shared<Both>();
  const auto take = [both, done](std::optional<Result<EmbedResponse>> Both::*part) {
    return [both, done, part](Result<EmbedResponse> response) {
      (*both).*part = std::move(response);
      if (--both->waiting == 0) done(Join(*both));
    };
  };
  embedder.EmbedAsync(embed, take(&Both::texts));
  embedder.EmbedAsync(query, take(&Both::query));
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
  const ModelInfo& info = embedder.info();
  if (embed.outputs.dense && info.similarity != Similarity::kCosine) {
    // As the model gives them: normalised if it ends so, and then cut.
    embed.normalize = info.normalizes;
    embed.dimensions = info.max_dimension;
  }
  const auto score = [mode = request.mode, weights = request.weights,
                      comparison = Comparison{info.similarity, info.dimension},
                      texts](EmbedResponse& response) {
    return WithScores(Scores(mode, weights, comparison, texts, response), response);
  };
  const bool has_its_own_routes = HasItsOwnRoutes(info, request);
  const auto finish = [score, texts, done = std::move(done)](Result<EmbedResponse> response) {
    if (!response.ok()) return done(NameQuery(std::move(response).error(), texts));
    Result<RerankResponse> answer = Error{ErrorCode::kInternal, "out of memory", ""};
    try {
      answer = score(*response);
    } catch (const std::exception&) {  // what it is already
    }
    done(std::move(answer));
  };
  if (has_its_own_routes) return EmbedByRoutes(embedder, std::move(embed), finish);
  embedder.EmbedAsync(embed, finish);
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
