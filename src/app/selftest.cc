#include "app/selftest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <span>
#include <utility>

namespace embedding::app {
namespace {

constexpr char kBgeM3[] = "BAAI/bge-m3";

// FlagEmbedding's README has these sentences, and what BAAI/bge-m3 makes of them in f16.
const std::vector<std::string> kQuestions = {"What is BGE M3?", "Defination of BM25"};
const std::vector<std::string> kAnswers = {
    "BGE M3 is an embedding model supporting dense retrieval, lexical matching and multi-vector "
    "interaction.",
    "BM25 is a bag-of-words retrieval function that ranks a set of documents based on the query "
    "terms appearing in each document"};
constexpr double kDense[2][2] = {{0.6265, 0.3477}, {0.3499, 0.678}};
constexpr double kLexical = 0.19554901;

// Of texts short and long, in several scripts, none like another, not where a model's limit cuts
// them.
std::vector<std::string> Texts() {
  std::vector<std::string> texts = {"a", "Пример текста для проверки", "東京は日本の首都です。",
                                    "What is the capital of France?", "naïve café, 3.14 %"};
  std::string longer = "words";
  for (int i = 0; i < 11; ++i) {
    longer.insert(0, std::to_string(i * 7919) + " more of them and ");
    texts.push_back(longer);
  }
  return texts;
}

// All numbers that a text has become, in one row.
std::vector<float> NumbersOf(const EmbedResponse& response, size_t i, size_t labels) {
  std::vector<float> numbers;
  const auto append = [&numbers](std::span<const float> more) {
    numbers.insert(numbers.end(), more.begin(), more.end());
  };
  if (response.dimension > 0) append(response.embedding(i));
  if (!response.lexical_weights.empty()) {
    for (const TokenWeight& token : response.lexical_weights[i]) {
      numbers.push_back(static_cast<float>(token.id));
      numbers.push_back(token.weight);
    }
  }
  if (!response.colbert_vecs.empty()) append(response.colbert_vecs[i]);
  if (!response.logits.empty()) append(std::span(response.logits).subspan(i * labels, labels));
  return numbers;
}

bool EqualInEveryBit(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

Outputs AllOf(const ModelInfo& info) {
  Outputs outputs;
  outputs.dense = info.has_dense();
  outputs.logits = info.is_classifier();
  outputs.lexical_weights = info.has_sparse;
  outputs.colbert_vecs = info.has_colbert;
  return outputs;
}

class Tester {
 public:
  explicit Tester(Embedder& embedder)
      : embedder_(embedder), labels_(embedder.info().labels.size()) {}

  Result<std::vector<Check>> Run() {
    RETURN_IF_ERROR(CheckEveryModel());
    if (embedder_.info().name == kBgeM3) RETURN_IF_ERROR(CheckPublished());
    return std::move(checks_);
  }

 private:
  Result<EmbedResponse> Ask(std::vector<std::string> texts) {
    EmbedRequest request;
    request.texts = std::move(texts);
    request.outputs = AllOf(embedder_.info());
    request.prompt_name = embedder_.info().any_route();
    return embedder_.Embed(request);
  }

  void Add(std::string name, bool passed, std::string found) {
    checks_.push_back({std::move(name), passed, std::move(found)});
  }

  Status CheckEveryModel() {
    const std::vector<std::string> texts = Texts();
    ASSIGN_OR_RETURN(const EmbedResponse together, Ask(texts));
    std::vector<std::vector<float>> rows;
    for (size_t i = 0; i < texts.size(); ++i) rows.push_back(NumbersOf(together, i, labels_));

    size_t numbers = 0;
    size_t not_finite = 0;
    double longest_off = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      numbers += rows[i].size();
      not_finite += static_cast<size_t>(std::count_if(
          rows[i].begin(), rows[i].end(), [](float number) { return !std::isfinite(number); }));
      if (together.dimension == 0) continue;
      const auto vector = together.embedding(i);
      const double square = std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0);
      longest_off = std::max(longest_off, std::abs(std::sqrt(square) - 1));
    }
    Add("all numbers are finite", not_finite == 0 && numbers > 0,
        fmt::format("{} of {} are not", not_finite, numbers));
    if (together.dimension > 0) {
      constexpr double kTolerance = 1e-5;
      Add("dense vectors have length 1", longest_off < kTolerance,
          fmt::format("at most {:.1e} off", longest_off));
    }

    size_t other_alone = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      ASSIGN_OR_RETURN(const EmbedResponse alone, Ask({texts[i]}));
      other_alone += EqualInEveryBit(NumbersOf(alone, 0, labels_), rows[i]) ? 0 : 1;
    }
    Add("a text alone is what it is in a batch, in every bit", other_alone == 0,
        fmt::format("{} of {} differ", other_alone, texts.size()));

    std::vector<std::string> reversed(texts.rbegin(), texts.rend());
    ASSIGN_OR_RETURN(const EmbedResponse backwards, Ask(reversed));
    size_t out_of_order = 0;
    size_t alike = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::vector<float> row = NumbersOf(backwards, texts.size() - 1 - i, labels_);
      out_of_order += EqualInEveryBit(row, rows[i]) ? 0 : 1;
      for (size_t j = 0; j < i; ++j) alike += EqualInEveryBit(rows[j], rows[i]) ? 1 : 0;
    }
    Add("the answers are in the order of the texts", out_of_order == 0,
        fmt::format("{} of {} are elsewhere", out_of_order, texts.size()));
    // Of a table of weights different texts may have the same tokens that weigh anything.
    if (together.dimension == 0 && labels_ == 0) return {};
    Add("different texts have different vectors", alike == 0, fmt::format("{} pairs alike", alike));
    return {};
  }

  Status CheckPublished() {
    // The published ones were computed in f16.
    const bool exact = embedder_.info().dtype == "f32" || embedder_.info().dtype == "f16";
    const double tolerance = exact ? 0.002 : 0.015;
    ASSIGN_OR_RETURN(const EmbedResponse questions, Ask(kQuestions));
    ASSIGN_OR_RETURN(const EmbedResponse answers, Ask(kAnswers));
    for (size_t q = 0; q < kQuestions.size(); ++q) {
      for (size_t a = 0; a < kAnswers.size(); ++a) {
        const auto question = questions.embedding(q);
        const double score =
            std::inner_product(question.begin(), question.end(), answers.embedding(a).begin(), 0.0);
        AddScore(fmt::format("dense score [{}][{}] as published", q, a), score, kDense[q][a],
                 tolerance);
      }
    }
    std::map<int32_t, double> weights;
    for (const TokenWeight& token : answers.lexical_weights.front())
      weights[token.id] = token.weight;
    double score = 0;
    for (const TokenWeight& token : questions.lexical_weights.front()) {
      const auto other = weights.find(token.id);
      if (other != weights.end()) score += token.weight * other->second;
    }
    AddScore("lexical score as published", score, kLexical, tolerance);
    return {};
  }

  void AddScore(std::string name, double score, double published, double tolerance) {
    Add(std::move(name), std::abs(score - published) <= tolerance,
        fmt::format("{:.4f}, published {:.4f}, tolerance {}", score, published, tolerance));
  }

  Embedder& embedder_;
  const size_t labels_;
  std::vector<Check> checks_;
};

}  // namespace

Result<std::vector<Check>> SelfTest(Embedder& embedder) { return Tester(embedder).Run(); }

}  // namespace embedding::app
