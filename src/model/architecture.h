// A model's architecture, as data: what a backend computes, whatever family it came from. The
// families are rows of model/families.h; no backend knows their names.
//
// Shapes: a batch's tokens stand in rows, [tokens, hidden_size].
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/heads.h"

namespace embedding {

// Self-attention: softmax(q k^T / sqrt(head_dim)) v for each head, every token with every other of
// its sequence.
struct Attention {
  size_t heads = 0;
  size_t head_dim = 0;

  // Of q, of k and of v: [tokens, width].
  size_t width() const { return heads * head_dim; }
};

// activation(x W1 + b1) W2 + b2, with `width` numbers between the two.
struct FeedForward {
  size_t width = 0;
  Activation activation = Activation::kGelu;
};

// x = attention_norm(x + attention(x)); x = output_norm(x + feed_forward(x))
struct Layer {
  Attention attention;
  Norm attention_norm;
  FeedForward feed_forward;
  Norm output_norm;
};

// Which row of the table of position embeddings is added to a token.
struct Positions {
  size_t count = 0;  // rows of the table
  size_t first = 0;  // that of a sequence's first token
  // Tokens of this id, which a text may contain, have the row of that number and are not counted
  // (create_position_ids_from_input_ids of transformers); none: every token is counted.
  std::optional<int32_t> uncounted_id;

  size_t max_tokens() const { return count - first; }
};

// x = embeddings_norm(word + token type + position), and the layers upon it.
struct Encoder {
  size_t hidden_size = 0;
  size_t vocab_size = 0;
  size_t token_types = 0;
  Positions positions;
  Norm embeddings_norm;
  std::vector<Layer> layers;  // one or more
};

struct Architecture {
  Encoder encoder;
  Heads heads;
};

}  // namespace embedding
