// What a model makes of a text.
#pragma once

#include <cstdint>

namespace embedding {

// What is wanted of a text. All comes from one pass through the encoder; what nobody wants is not
// computed.
struct Outputs {
  bool dense = true;
  bool lexical_weights = false;   // bge-m3's sparse head, or SPLADE's
  bool colbert_vecs = false;      // bge-m3's multi-vector head
  bool token_embeddings = false;  // the encoder's last hidden states
  bool logits = false;            // a classifier's
};

struct TokenWeight {
  int32_t id;
  float weight;
};

}  // namespace embedding
