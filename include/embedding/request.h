// What is asked of a model and what it answers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "embedding/byte_budget.h"
#include "embedding/outputs.h"
#include "embedding/truncation.h"

namespace embedding {

struct EmbedRequest {
  // Valid UTF-8 each; "" is a text like another. White space at the ends counts where it does
  // for the model's tokenizer.
  std::vector<std::string> texts;
  // Each text's partner, where pairs are asked for: empty, or as many as texts.
  std::vector<std::string> text_pairs;
  // Or the one text that every text is the partner of, (query, text): what a cross-encoder reads.
  std::optional<std::string> query;
  // Instead of texts: ids as a tokenizer gave them, to which no special tokens are added.
  std::vector<std::vector<int32_t>> input_ids;
  Outputs outputs;
  bool normalize = true;  // divide dense vectors by the L2 norm (at least 1e-12)
  bool truncate = true;   // cut a text that is too long; false refuses it
  std::optional<TruncationSide> truncation_side;  // what the model's tokenizer says if empty
  // Texts are too long beyond this many tokens, if that is fewer than ModelInfo::max_input_tokens.
  std::optional<size_t> max_tokens;
  std::optional<size_t> dimensions;        // keep the first n components, before normalising
  std::optional<std::string> prompt_name;  // one of the model's prompts, put before each text
  // Texts that are not computed yet when nobody waits any more are dropped, and `done` gets
  // kCancelled or kTimeout.
  std::shared_ptr<const std::atomic<bool>> cancelled;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  // If there is one, the answer's numbers take this much each of it, from before they are computed
  // until the EmbedResponse is destroyed, which the budget must outlive.
  ByteBudget* answer_budget = nullptr;
  // Whom it is for. Where requests of several clients wait, the clients take turns, whatever each
  // of them has waiting; "" is a client like another.
  std::string client;
  size_t bytes_per_number = sizeof(float);

  size_t size() const { return input_ids.empty() ? texts.size() : input_ids.size(); }
};

// Where a request's time went.
struct Timings {
  using Duration = std::chrono::steady_clock::duration;
  Duration tokenization{};
  Duration lookup{};     // in the cache
  Duration queue{};      // until the first of its texts was computed; 0 if none had to be
  Duration inference{};  // from then until the last was
};

// In the order of the request; what was not asked for is empty.
struct EmbedResponse {
  std::vector<float> embeddings;  // [texts, dimension], row-major
  size_t dimension = 0;
  // [texts]: a text's token ids with weights above 0, each id once, in order of first appearance.
  std::vector<std::vector<TokenWeight>> lexical_weights;
  // [texts][tokens - 1, colbert_dimension]: a vector of length 1 for each token but the first.
  std::vector<std::vector<float>> colbert_vecs;
  size_t colbert_dimension = 0;
  std::vector<std::vector<float>> token_embeddings;  // [texts][tokens, hidden_size]
  size_t hidden_size = 0;
  std::vector<float> logits;   // [texts, ModelInfo::labels]
  size_t prompt_tokens = 0;    // tokens of its texts, special tokens included
  size_t characters = 0;       // of its texts, Unicode scalar values
  size_t truncated_texts = 0;  // how many texts were cut
  size_t texts = 0;            // of the request
  // How many of them came from the cache; empty if there is none.
  std::optional<size_t> cached_texts = {};
  Timings timings;
  ByteCharge charge;  // see EmbedRequest::answer_budget

  std::span<const float> embedding(size_t i) const {
    return {embeddings.data() + i * dimension, dimension};
  }
};

}  // namespace embedding
