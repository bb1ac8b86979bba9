// SparseStaticEmbedding of sentence-transformers: a weight by token id, of which a text's sparse
// vector has those of its tokens. The queries of sparse encoders "without inference" are made so.
//
// The weights are the tensor "weight", [vocab_size]; the tokenizer is in the same folder, and adds
// no special tokens.
#pragma once

#include "base/result.h"
#include "model/model_spec.h"
#include "model/tensors.h"
#include "weights/tensor_store.h"

namespace embedding {

// Fills the encoder, the heads, the tokenizer and `max_seq_length` of a spec whose
// transformer_directory is the module's folder: an encoder of hidden_size 1, which gives a token's
// weight, and TokenWeights, which takes it as it is. Errors: kModelLoad, naming file, field and
// tensor.
Status ReadSparseStaticEmbedding(ModelSpec& spec);

// The tensors of what the above made. Errors: kModelLoad, naming the tensor.
Result<Tensors> ReadTokenWeightTable(const Encoder& encoder, const TensorStore& weights);

}  // namespace embedding
