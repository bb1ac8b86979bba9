// A model's tensors by what they are for, checked against its architecture: what a backend reads
// its weights from.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

// A torch.nn.Linear: x W^T + b.
struct LinearTensors {
  std::string name;                // in its file, without ".weight"; for errors
  TensorView weight;               // [out_features, in_features]
  std::optional<TensorView> bias;  // [out_features]

  size_t out_features() const { return static_cast<size_t>(weight.shape[0]); }
  size_t in_features() const { return static_cast<size_t>(weight.shape[1]); }
};

struct NormTensors {
  TensorView weight;  // [hidden_size]
  TensorView bias;    // [hidden_size]
};

struct LayerTensors {
  LinearTensors query, key, value;  // hidden_size -> Attention::width()
  LinearTensors attention_output;   // Attention::width() -> hidden_size
  NormTensors attention_norm;
  LinearTensors intermediate;  // hidden_size -> FeedForward::width
  LinearTensors output;        // FeedForward::width -> hidden_size
  NormTensors output_norm;
};

struct EncoderTensors {
  TensorView word_embeddings;        // [vocab_size, hidden_size]
  TensorView position_embeddings;    // [Positions::count, hidden_size]
  TensorView token_type_embeddings;  // [token_types, hidden_size]
  NormTensors embeddings_norm;
  std::vector<LayerTensors> layers;
};

struct SpladeTensors {
  LinearTensors transform;  // hidden_size -> hidden_size
  NormTensors norm;
  LinearTensors decoder;  // hidden_size -> vocab_size
};

struct ClassifierTensors {
  LinearTensors dense;   // hidden_size -> hidden_size
  LinearTensors output;  // hidden_size -> labels
};

// Of the heads that the architecture has.
struct HeadTensors {
  std::vector<LinearTensors> dense;            // of PooledVector's modules
  std::optional<LinearTensors> token_weights;  // hidden_size -> 1
  std::optional<LinearTensors> token_vectors;  // hidden_size -> the vectors' dimension
  std::optional<SpladeTensors> splade;
  std::optional<ClassifierTensors> classifier;
};

struct Tensors {
  EncoderTensors encoder;
  HeadTensors heads;
  // What the heads' views look into where it is not the encoder's file.
  std::vector<TensorStore> head_files;
};

// The tensors of the model in `weights`, which must outlive them, and in the files of its heads.
// Errors: kModelLoad naming file and tensor, and what was expected.
Result<Tensors> ReadTensors(const ModelSpec& spec, const TensorStore& weights);

}  // namespace embedding
