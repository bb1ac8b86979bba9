// StaticEmbedding of sentence-transformers, and model2vec: a table of vectors by token id, of which
// a text's vector is the mean. No special tokens, no config.json needed.
//
// The table is the tensor "embedding.weight"; or, as model2vec saves it, "embeddings" with,
// perhaps, "mapping", the row of each token id, and "weights", what each token's vector is
// multiplied with.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "model/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

// What model2vec's config.json, if `directory` has one, says of the model: whether its vectors are
// normalised. Empty if there is none of model_type "model2vec". Errors: kModelLoad for a malformed
// file.
struct Model2VecConfig {
  bool normalize = false;
};
Result<std::optional<Model2VecConfig>> ReadModel2VecConfig(const std::string& directory);

// Fills the encoder, the tokenizer and `max_seq_length` of a spec whose transformer_directory is
// that of the table and its tokenizer.json. Errors: kModelLoad, naming file and tensor.
Status ReadStaticEmbedding(ModelSpec& spec);

// The table, [vocab_size, hidden_size], for the encoder that ReadStaticEmbedding made: a view of
// the store, or numbers of its own where there is a mapping or there are weights. Errors:
// kModelLoad, naming the tensor.
Result<TensorView> ReadStaticTable(const Encoder& encoder, const TensorStore& weights);

}  // namespace embedding
