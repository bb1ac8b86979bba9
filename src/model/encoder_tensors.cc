#include "model/encoder_tensors.h"

#include <string>
#include <utility>

#include "model/name_forms.h"

namespace embedding {
namespace {

Result<HalfNormTensors> ReadNorms(const TensorReader& reader, const HalfNormNames& names,
                                  const HalfNorms& norms, size_t size) {
  HalfNormTensors tensors;
  ASSIGN_OR_RETURN(tensors.input, reader.Norm(names.input, norms.input, size));
  ASSIGN_OR_RETURN(tensors.branch, reader.Norm(names.branch, norms.branch, size));
  ASSIGN_OR_RETURN(tensors.output, reader.Norm(names.output, norms.output, size));
  return tensors;
}

Status ReadAttention(const TensorReader& reader, const LayerTensorNames& names,
                     const Attention& attention, size_t hidden, LayerTensors& tensors) {
  const size_t width = attention.width();
  const size_t kv_width = attention.kv_width();
  const bool bias = attention.qkv_bias;
  const bool is_fused = !names.query_key_value.empty() &&
                        (names.query.empty() || reader.HasWeight(names.query_key_value));
  if (is_fused) {
    ASSIGN_OR_RETURN(
        std::vector<LinearTensors> parts,
        reader.Fused(names.query_key_value, hidden, {width, kv_width, kv_width}, bias));
    tensors.query = std::move(parts[0]);
    tensors.key = std::move(parts[1]);
    tensors.value = std::move(parts[2]);
  } else {
    ASSIGN_OR_RETURN(tensors.query, reader.Linear(names.query, hidden, width, bias));
    ASSIGN_OR_RETURN(tensors.key, reader.Linear(names.key, hidden, kv_width, bias));
    ASSIGN_OR_RETURN(tensors.value, reader.Linear(names.value, hidden, kv_width, bias));
  }
  ASSIGN_OR_RETURN(tensors.attention_output,
                   reader.Linear(names.attention_output, width, hidden, attention.output_bias));
  ASSIGN_OR_RETURN(tensors.query_norm,
                   reader.Norm(names.query_norm, attention.query_norm, attention.head_dim));
  ASSIGN_OR_RETURN(tensors.key_norm,
                   reader.Norm(names.key_norm, attention.key_norm, attention.head_dim));
  return {};
}

Result<FeedForwardTensors> ReadFeedForward(const TensorReader& reader,
                                           const LayerTensorNames& names,
                                           const FeedForward& feed_forward, size_t hidden) {
  const size_t width = feed_forward.width;
  const bool bias = feed_forward.intermediate_bias;
  const bool is_fused = !names.gate_and_intermediate.empty() &&
                        (names.gate.empty() || reader.HasWeight(names.gate_and_intermediate));
  FeedForwardTensors tensors;
  if (feed_forward.gated && is_fused) {
    ASSIGN_OR_RETURN(std::vector<LinearTensors> parts,
                     reader.Fused(names.gate_and_intermediate, hidden, {width, width}, bias));
    tensors.gate = std::move(parts[names.gate_first ? 0 : 1]);
    tensors.intermediate = std::move(parts[names.gate_first ? 1 : 0]);
  } else {
    if (feed_forward.gated) {
      ASSIGN_OR_RETURN(tensors.gate, reader.Linear(names.gate, hidden, width, bias));
    }
    ASSIGN_OR_RETURN(tensors.intermediate, reader.Linear(names.intermediate, hidden, width, bias));
  }
  ASSIGN_OR_RETURN(tensors.output,
                   reader.Linear(names.output, width, hidden, feed_forward.output_bias));
  return tensors;
}

Status ReadExperts(const TensorReader& reader, const ExpertTensorNames& names,
                   const FeedForward& feed_forward, size_t hidden, LayerTensors& tensors) {
  const size_t count = feed_forward.experts->count;
  const size_t width = feed_forward.width;
  ASSIGN_OR_RETURN(tensors.router, reader.Linear(names.router, hidden, count, false));
  ASSIGN_OR_RETURN(const TensorView intermediate,
                   reader.Tensor(names.intermediate, {count * width, hidden}));
  ASSIGN_OR_RETURN(const TensorView output, reader.Tensor(names.output, {count * width, hidden}));
  for (size_t e = 0; e < count; ++e) {
    FeedForwardTensors& expert = tensors.feed_forward.emplace_back();
    expert.intermediate.name = reader.At(names.intermediate).prefix();
    expert.intermediate.weight = RowsOf(intermediate, e * width, width);
    expert.output.name = reader.At(names.output).prefix();
    expert.output.weight = Transposed(RowsOf(output, e * width, width));
  }
  ASSIGN_OR_RETURN(tensors.experts_bias, reader.Tensor(names.bias, {hidden}));
  return {};
}

Status ReadPositionProjections(const TensorReader& reader, const LayerTensorNames& names,
                               const Disentangled& disentangled, const Attention& attention,
                               size_t hidden, LayerTensors& tensors) {
  if (!disentangled.own_projections) return {};
  const bool bias = attention.qkv_bias;
  if (disentangled.content_to_position) {
    ASSIGN_OR_RETURN(tensors.position_key,
                     reader.Linear(names.position_key, hidden, attention.kv_width(), bias));
  }
  if (disentangled.position_to_content) {
    ASSIGN_OR_RETURN(tensors.position_query,
                     reader.Linear(names.position_query, hidden, attention.width(), bias));
  }
  return {};
}

Result<LayerTensors> ReadLayer(const TensorReader& reader, const LayerTensorNames& names,
                               const Layer& layer, const Encoder& encoder) {
  const size_t hidden = encoder.hidden_size;
  LayerTensors tensors;
  RETURN_IF_ERROR(ReadAttention(reader, names, layer.attention, hidden, tensors));
  if (encoder.disentangled) {
    RETURN_IF_ERROR(ReadPositionProjections(reader, names, *encoder.disentangled, layer.attention,
                                            hidden, tensors));
  }
  ASSIGN_OR_RETURN(tensors.attention_norms,
                   ReadNorms(reader, names.attention_norms, layer.attention_norms, hidden));
  if (layer.feed_forward.experts) {
    RETURN_IF_ERROR(ReadExperts(reader, names.experts, layer.feed_forward, hidden, tensors));
  } else {
    ASSIGN_OR_RETURN(tensors.feed_forward.emplace_back(),
                     ReadFeedForward(reader, names, layer.feed_forward, hidden));
  }
  ASSIGN_OR_RETURN(tensors.feed_forward_norms,
                   ReadNorms(reader, names.feed_forward_norms, layer.feed_forward_norms, hidden));
  if (layer.scales_output) {
    ASSIGN_OR_RETURN(tensors.output_scale, reader.Tensor(names.output_scale, {1}));
  }
  return tensors;
}

// Those of the layer that `layer` is the reader of; `reader` is the encoder's.
Result<LayerInputTensors> ReadInputs(const TensorReader& reader, const TensorReader& layer,
                                     size_t weights, const LayerInputTensorNames& names,
                                     const Encoder& encoder) {
  const LayerInputs& inputs = *encoder.layer_inputs;
  const size_t hidden = encoder.hidden_size;
  const size_t size = inputs.size;
  LayerInputTensors tensors;
  ASSIGN_OR_RETURN(
      const LinearTensors of_all,
      reader.Linear(names.input, hidden, encoder.layers.size() * size, /*has_bias=*/false));
  tensors.input.name = of_all.name;
  tensors.input.weight = RowsOf(of_all.weight, weights * size, size);
  ASSIGN_OR_RETURN(tensors.norm, reader.Norm(names.norm, inputs.norm, size));
  ASSIGN_OR_RETURN(tensors.gate, layer.Linear(names.gate, hidden, size, /*has_bias=*/false));
  ASSIGN_OR_RETURN(tensors.output, layer.Linear(names.output, size, hidden, /*has_bias=*/false));
  ASSIGN_OR_RETURN(tensors.branch_norm, layer.Norm(names.branch_norm, inputs.branch_norm, hidden));
  return tensors;
}

// Where the layers of a file are: their names by their numbers.
class LayerPlaces {
 public:
  LayerPlaces(const TensorReader& reader, const EncoderTensorNames& names)
      : layers_(reader.At(FindForm(
            names.layers,
            [&](std::string_view form) { return HasLayer(reader.At(form).At("0"), names); }))),
        inner_(names.inner_layers) {
    if (inner_.empty()) return;
    while (HasLayer(layers_.At("0").At(inner_).At(std::to_string(inner_layers_)), names)) {
      ++inner_layers_;
    }
    if (inner_layers_ == 0) inner_layers_ = 1;
  }

  TensorReader At(size_t layer) const {
    if (inner_.empty()) return layers_.At(std::to_string(layer));
    const TensorReader group = layers_.At(std::to_string(layer / inner_layers_));
    return group.At(inner_).At(std::to_string(layer % inner_layers_));
  }

 private:
  static bool HasLayer(const TensorReader& reader, const EncoderTensorNames& names) {
    return reader.HasWeight(names.layer.attention_output);
  }

  const TensorReader layers_;
  const std::string_view inner_;
  size_t inner_layers_ = 0;  // of a group
};

Status ReadEmbeddings(const TensorReader& reader, const EncoderTensorNames& names,
                      const Encoder& encoder, EncoderTensors& tensors) {
  const size_t size = encoder.embedding_size;
  ASSIGN_OR_RETURN(tensors.word_embeddings,
                   reader.Table(names.word_embeddings, encoder.vocab_size, size));
  ASSIGN_OR_RETURN(tensors.word_adapters,
                   reader.TableAdapters(names.word_embeddings, encoder.vocab_size, size));
  if (encoder.positions.count > 0) {
    ASSIGN_OR_RETURN(tensors.position_embeddings,
                     reader.Table(names.position_embeddings, encoder.positions.count, size));
  }
  if (encoder.token_types > 0) {
    ASSIGN_OR_RETURN(tensors.token_type_embeddings,
                     reader.Table(names.token_type_embeddings, encoder.token_types, size));
    ASSIGN_OR_RETURN(tensors.token_type_adapters,
                     reader.TableAdapters(names.token_type_embeddings, encoder.token_types, size));
  }
  if (encoder.task_types > 0) {
    ASSIGN_OR_RETURN(const TensorView tasks,
                     reader.Table(names.task_type_embeddings, encoder.task_types, size));
    tensors.token_type_embeddings = PlusRow(*tensors.token_type_embeddings, RowsOf(tasks, 0, 1));
  }
  ASSIGN_OR_RETURN(tensors.embeddings_norm,
                   reader.Norm(names.embeddings_norm, encoder.embeddings_norm, size));
  if (size != encoder.hidden_size) {
    ASSIGN_OR_RETURN(tensors.projection, reader.Linear(names.projection, size, encoder.hidden_size,
                                                       encoder.projection_bias));
    ASSIGN_OR_RETURN(
        tensors.projected_norm,
        reader.Norm(names.projected_norm, encoder.projected_norm, encoder.hidden_size));
  }
  return {};
}

Status ReadRelativePositions(const TensorReader& reader, const EncoderTensorNames& names,
                             const Encoder& encoder, EncoderTensors& tensors) {
  if (encoder.relative_bias) {
    ASSIGN_OR_RETURN(tensors.relative_bias,
                     reader.Table(names.relative_bias, encoder.relative_bias->buckets,
                                  encoder.layers[0].attention.heads));
  }
  if (encoder.disentangled) {
    ASSIGN_OR_RETURN(tensors.relative_embeddings,
                     reader.Table(names.relative_embeddings, 2 * encoder.disentangled->span,
                                  encoder.hidden_size));
    ASSIGN_OR_RETURN(
        tensors.relative_norm,
        reader.Norm(names.relative_norm, encoder.disentangled->norm, encoder.hidden_size));
  }
  return {};
}

}  // namespace

TensorReader EncoderReader(const TensorStore& weights, const Family& family,
                           const std::optional<Adapters>& adapters) {
  TensorReader root(weights, "", adapters);
  // What sentence-transformers and wrappers of training have before a model's names.
  constexpr std::string_view kOuter[] = {"",        "model",      "0.auto_model",
                                         "0.model", "auto_model", "module"};
  const auto has = [&](const TensorReader& reader) {
    return reader.HasWeight(family.tensors.word_embeddings);
  };
  for (const std::string_view outer : kOuter) {
    TensorReader reader = root.At(outer);
    if (has(reader)) return reader;
    TensorReader inner = reader.At(
        FindForm(family.prefixes, [&](std::string_view prefix) { return has(reader.At(prefix)); }));
    if (has(inner)) return inner;
  }
  return root;
}

Result<EncoderTensors> ReadEncoderTensors(const TensorReader& reader,
                                          const EncoderTensorNames& names, const Encoder& encoder) {
  EncoderTensors tensors;
  RETURN_IF_ERROR(ReadEmbeddings(reader, names, encoder, tensors));
  const LayerPlaces places(reader, names);
  for (const Layer& layer : encoder.layers) {
    // Layers that share weights come once.
    if (layer.weights < tensors.layers.size()) continue;
    ASSIGN_OR_RETURN(LayerTensors read,
                     ReadLayer(places.At(layer.weights), names.layer, layer, encoder));
    if (encoder.layer_inputs) {
      ASSIGN_OR_RETURN(read.inputs, ReadInputs(reader, places.At(layer.weights), layer.weights,
                                               names.layer_inputs, encoder));
    }
    tensors.layers.push_back(std::move(read));
  }
  ASSIGN_OR_RETURN(tensors.final_norm,
                   reader.Norm(names.final_norm, encoder.final_norm, encoder.hidden_size));
  RETURN_IF_ERROR(ReadRelativePositions(reader, names, encoder, tensors));
  if (const auto& convolution = encoder.convolution) {
    ASSIGN_OR_RETURN(tensors.convolution,
                     reader.Convolution(names.convolution, encoder.hidden_size, *convolution));
    ASSIGN_OR_RETURN(tensors.convolution_norm,
                     reader.Norm(names.convolution_norm, convolution->norm, encoder.hidden_size));
  }
  return tensors;
}

}  // namespace embedding
