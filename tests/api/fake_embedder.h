// An Embedder without a model, for tests of what lies above it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "test_data.h"
#include "text/tokenizer.h"

namespace embedding {

// A text's vector is {bytes of the text, 0.5, -1.25, 1e-7}, cut to `dimensions`; its tokens are its
// bytes and two more, and 10 of them are what the model takes. Of token ids it is their number. The
// answer comes at once, or, with `hold`, when the test calls Release.
class FakeEmbedder final : public Embedder {
 public:
  static constexpr size_t kMaxTokens = 10;

  void EmbedAsync(const EmbedRequest& request, Done done) override {
    requests.push_back(request);
    Result<EmbedResponse> response = Compute(request);
    if (hold) {
      held_.emplace_back(std::move(done), std::move(response));
    } else {
      done(std::move(response));
    }
  }

  void Release() {
    for (auto& [done, response] : std::exchange(held_, {})) done(std::move(response));
  }

  Status health() const override { return status; }
  Result<std::string> Prompt(const std::optional<std::string>& /*name*/) const override {
    return std::string();
  }
  std::vector<DeviceState> devices() const override { return states; }
  uint64_t turns() override { return 0; }
  const ModelInfo& info() const override { return info_; }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }

  std::vector<EmbedRequest> requests;  // as they came
  std::optional<Error> failure;        // what every request fails with
  std::vector<float> vector = {0, 0.5F, -1.25F, 1e-7F};
  std::optional<size_t> cached_texts;  // of every answer
  Status status;
  std::vector<DeviceState> states = std::vector<DeviceState>(1);
  bool hold = false;

 private:
  Result<EmbedResponse> Compute(const EmbedRequest& request) const {
    if (failure) return *failure;
    if (request.outputs.lexical_weights) {
      return Error{ErrorCode::kUnsupported, "model org/fake has no sparse head", ""};
    }
    if (request.outputs.colbert_vecs) {
      return Error{ErrorCode::kUnsupported, "model org/fake has no ColBERT head", ""};
    }
    EmbedResponse response;
    response.dimension = request.dimensions.value_or(vector.size());
    response.texts = request.size();
    response.cached_texts = cached_texts;
    for (const std::string& text : request.texts) {
      const size_t tokens = text.size() + 2;
      if (tokens > kMaxTokens && !request.truncate) {
        return Error{ErrorCode::kInvalidArgument, "too long", "texts"};
      }
      response.prompt_tokens += std::min(tokens, kMaxTokens);
      response.truncated_texts += tokens > kMaxTokens ? 1 : 0;
      AddVector(text.size(), response);
    }
    for (const std::vector<int32_t>& ids : request.input_ids) {
      response.prompt_tokens += ids.size();
      AddVector(ids.size(), response);
    }
    return response;
  }

  void AddVector(size_t length, EmbedResponse& response) const {
    std::vector<float> row = vector;
    row[0] += static_cast<float>(length);
    response.embeddings.insert(response.embeddings.end(), row.begin(),
                               row.begin() + static_cast<ptrdiff_t>(response.dimension));
  }

  ModelInfo info_ = {.name = "org/fake",
                     .device = "cpu",
                     .dtype = "f32",
                     .dimension = 4,
                     .max_input_tokens = kMaxTokens};
  std::unique_ptr<Tokenizer> tokenizer_ =
      *Tokenizer::FromFile(TestData("tiny-bge-m3/tokenizer.json"));
  std::vector<std::pair<Done, Result<EmbedResponse>>> held_;
};

}  // namespace embedding
