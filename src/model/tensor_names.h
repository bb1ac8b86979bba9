// The names that a family's tensors have in its checkpoints, by what they are for: data.
//
// A name is without ".weight" and ".bias". Where checkpoints differ in a name, its forms stand side
// by side, divided by '|': a file has one of them. An empty name: the family has no such tensor.
//
// The encoder's are below a prefix: none in a bare encoder's file, Family::prefixes where the
// checkpoint has a head on top.
#pragma once

#include <string_view>

namespace embedding {

// Of HalfNorms.
struct HalfNormNames {
  std::string_view input = {};
  std::string_view branch = {};
  std::string_view output = {};
};

// Of a mixture's tensors, which hold all experts', one below the other. These names are whole.
struct ExpertTensorNames {
  std::string_view router = {};        // of a Linear, hidden_size -> Experts::count
  std::string_view intermediate = {};  // [Experts::count * width, hidden_size]
  std::string_view output = {};        // [Experts::count * width, hidden_size], transposed
  std::string_view bias = {};          // [hidden_size]
};

// Below those of the layer.
struct LayerTensorNames {
  std::string_view query = {};
  std::string_view key = {};
  std::string_view value = {};
  // The three in one, the query's rows first, then the key's: taken where a file has it.
  std::string_view query_key_value = {};
  std::string_view attention_output = {};
  std::string_view position_query = {};
  std::string_view position_key = {};
  std::string_view query_norm = {};
  std::string_view key_norm = {};
  HalfNormNames attention_norms = {};
  std::string_view gate = {};  // what is activated, of a gated feed-forward
  std::string_view intermediate = {};
  // The two in one, the gate's rows first or else last: taken where a file has it.
  std::string_view gate_and_intermediate = {};
  bool gate_first = true;
  std::string_view output = {};
  HalfNormNames feed_forward_norms = {};
  ExpertTensorNames experts = {};
  std::string_view output_scale = {};  // a whole name
};

// Of LayerInputs: `input`, of all layers in one, and `norm` are below the encoder's prefix, the
// others below that of the layer.
struct LayerInputTensorNames {
  std::string_view input = {};
  std::string_view norm = {};
  std::string_view gate = {};
  std::string_view output = {};
  std::string_view branch_norm = {};
};

struct EncoderTensorNames {
  std::string_view word_embeddings = {};
  std::string_view position_embeddings = {};
  std::string_view token_type_embeddings = {};
  std::string_view task_type_embeddings = {};
  std::string_view embeddings_norm = {};
  std::string_view projection = {};
  std::string_view projected_norm = {};
  // "encoder.layer": those of a layer are below "encoder.layer.<Layer::weights>".
  std::string_view layers = {};
  // Where layers come in groups: below "<layers>.<group>.<inner_layers>.<layer in the group>", of
  // which each group has as many as the file has in the first.
  std::string_view inner_layers = {};
  LayerTensorNames layer = {};
  LayerInputTensorNames layer_inputs = {};
  std::string_view final_norm = {};
  std::string_view relative_bias = {};
  std::string_view relative_embeddings = {};
  std::string_view relative_norm = {};
  std::string_view convolution = {};
  std::string_view convolution_norm = {};
};

// Of a Classifier. Not below the encoder's prefix, but for `dense` where that says so.
struct ClassifierTensorNames {
  std::string_view dense = {};
  bool dense_is_encoders = false;
  std::string_view norm = {};
  std::string_view output = {};
};

// Of a masked-language head, SPLADE's. The decoder's weight is the table of word embeddings where a
// file has none of its own.
struct MaskedLanguageTensorNames {
  std::string_view transform = {};
  std::string_view norm = {};
  std::string_view decoder = {};
  std::string_view bias = {};  // a whole name; the decoder's own is taken where a file has it
};

}  // namespace embedding
