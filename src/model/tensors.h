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

// Of the adapters, A and B: of a Linear [count, rank, in_features] and [count, out_features, rank],
// of a table [count, rows, rank] and [count, rank, columns].
struct AdapterTensors {
  TensorView a;
  TensorView b;
};

// A torch.nn.Linear: x W^T + b.
struct LinearTensors {
  std::string name;                // in its file, without ".weight"; for errors
  TensorView weight;               // [out_features, in_features]
  std::optional<TensorView> bias;  // [out_features]
  std::optional<AdapterTensors> adapters = {};

  size_t out_features() const { return static_cast<size_t>(weight.shape[0]); }
  size_t in_features() const { return static_cast<size_t>(weight.shape[1]); }
};

struct NormTensors {
  TensorView weight;               // [size]
  std::optional<TensorView> bias;  // [size], where Norm::has_bias()
};

// Those that HalfNorms has.
struct HalfNormTensors {
  std::optional<NormTensors> input;
  std::optional<NormTensors> branch;
  std::optional<NormTensors> output;
};

struct FeedForwardTensors {
  std::optional<LinearTensors> gate;  // hidden_size -> FeedForward::width, where it is gated
  LinearTensors intermediate;         // hidden_size -> FeedForward::width
  LinearTensors output;               // FeedForward::width -> hidden_size
};

// Of LayerInputs.
struct LayerInputTensors {
  LinearTensors input;   // Wp: hidden_size -> size
  LinearTensors gate;    // Wg: hidden_size -> size
  LinearTensors output;  // Wo: size -> hidden_size
  NormTensors norm;      // of size
  NormTensors branch_norm;
};

struct LayerTensors {
  LinearTensors query;             // hidden_size -> Attention::width()
  LinearTensors key, value;        // hidden_size -> Attention::kv_width()
  LinearTensors attention_output;  // Attention::width() -> hidden_size
  // Disentangled::own_projections: as `query` and `key` are.
  std::optional<LinearTensors> position_query, position_key;
  std::optional<NormTensors> query_norm, key_norm;  // of head_dim
  HalfNormTensors attention_norms;
  std::vector<FeedForwardTensors> feed_forward;  // one, or Experts::count
  std::optional<LinearTensors> router;           // hidden_size -> Experts::count
  std::optional<TensorView> experts_bias;        // [hidden_size]
  HalfNormTensors feed_forward_norms;
  std::optional<LayerInputTensors> inputs;
  std::optional<TensorView> output_scale;  // [1], where Layer::scales_output
};

// The products of attention and of the feed-forwards: those that may have adapters.
std::vector<LinearTensors*> LinearsOf(LayerTensors& layer);

// Those that the encoder has.
struct EncoderTensors {
  TensorView word_embeddings;                     // [vocab_size, embedding_size]
  std::optional<TensorView> position_embeddings;  // [Positions::count, embedding_size]
  std::optional<TensorView>
      token_type_embeddings;  // [token_types, embedding_size], with the task's
  std::optional<AdapterTensors> word_adapters;
  std::optional<AdapterTensors> token_type_adapters;
  std::optional<NormTensors> embeddings_norm;  // of embedding_size
  std::optional<LinearTensors> projection;     // embedding_size -> hidden_size
  std::optional<NormTensors> projected_norm;   // of hidden_size
  std::vector<LayerTensors> layers;            // by Layer::weights
  std::optional<NormTensors> final_norm;
  std::optional<TensorView> relative_bias;        // [RelativeBias::buckets, heads]
  std::optional<TensorView> relative_embeddings;  // [2 * Disentangled::span, hidden_size]
  std::optional<NormTensors> relative_norm;       // of hidden_size
  // Convolution::kernel tokens' numbers, side by side -> hidden_size
  std::optional<LinearTensors> convolution;
  std::optional<NormTensors> convolution_norm;  // of hidden_size
};

struct SpladeTensors {
  LinearTensors transform;  // hidden_size -> hidden_size
  NormTensors norm;
  LinearTensors decoder;  // hidden_size -> vocab_size
};

struct ClassifierTensors {
  std::optional<LinearTensors> dense;  // hidden_size -> hidden_size
  std::optional<NormTensors> norm;
  LinearTensors output;  // hidden_size -> labels
};

// What a VectorModule has.
struct ModuleTensors {
  std::optional<LinearTensors> linear = {};    // in_features -> out_features
  std::optional<LinearTensors> residual = {};  // the same, where projects_residual()
  std::optional<NormTensors> norm = {};
};

// Of the heads that the architecture has.
struct HeadTensors {
  // Of the pooled vector, or of the scores.
  std::vector<ModuleTensors> modules;
  std::vector<ModuleTensors> token_modules;
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
