#include "backends/cuda/cuda_encoder_weights.h"

#include <array>
#include <utility>

namespace embedding {
namespace {

Status LoadTable(CudaCompute& compute, const std::optional<TensorView>& tensor,
                 CudaBuffer& buffer) {
  if (!tensor) return {};
  RETURN_IF_ERROR(buffer.Reserve(tensor->elements() * compute.element_bytes()));
  return compute.Fill(*tensor, buffer.address(), compute.type());
}

Result<CudaHalfNorms> LoadNorms(CudaCompute& compute, const HalfNormTensors& tensors,
                                const HalfNorms& norms) {
  const ComputeType type = compute.type();
  CudaHalfNorms made;
  RETURN_IF_ERROR(compute.LoadNorm(tensors.input, norms.input, type, made.input));
  RETURN_IF_ERROR(compute.LoadNorm(tensors.branch, norms.branch, type, made.branch));
  RETURN_IF_ERROR(compute.LoadNorm(tensors.output, norms.output, type, made.output));
  return made;
}

Result<CudaHeadNorms> LoadHeadNorms(CudaCompute& compute, const LayerTensors& tensors,
                                    const Attention& attention) {
  const ComputeType type = compute.type();
  CudaHeadNorms made;
  RETURN_IF_ERROR(compute.LoadNorm(tensors.query_norm, attention.query_norm, type, made.query));
  RETURN_IF_ERROR(compute.LoadNorm(tensors.key_norm, attention.key_norm, type, made.key));
  RETURN_IF_ERROR(compute.LoadNorm({}, attention.value_norm, type, made.value));
  return made;
}

Result<CudaLayerInputs> LoadInputs(CudaCompute& compute, const LayerInputs& inputs,
                                   const LayerInputTensors& tensors) {
  const ComputeType type = compute.type();
  ASSIGN_OR_RETURN(CudaLinear input, compute.LoadLinear(tensors.input, type));
  ASSIGN_OR_RETURN(CudaLinear gate, compute.LoadLinear(tensors.gate, type));
  ASSIGN_OR_RETURN(CudaLinear output, compute.LoadLinear(tensors.output, type));
  CudaLayerInputs made = {std::move(input), std::move(gate), std::move(output), {}, {}};
  RETURN_IF_ERROR(compute.LoadNorm(tensors.norm, inputs.norm, type, made.norm));
  RETURN_IF_ERROR(
      compute.LoadNorm(tensors.branch_norm, inputs.branch_norm, type, made.branch_norm));
  return made;
}

// The embeddings of the relative positions, by `projection`, into `to`.
Status ProjectPositions(CudaCompute& compute, const EncoderTensors& tensors,
                        const Disentangled& disentangled, const LinearTensors& projection,
                        CudaBuffer& to) {
  ASSIGN_OR_RETURN(const CudaLinear linear, compute.LoadLinear(projection, ComputeType::kF32));
  ASSIGN_OR_RETURN(const CudaBuffer embeddings,
                   compute.LoadTensor(*tensors.relative_embeddings, ComputeType::kF32));
  std::optional<CudaNorm> norm;
  RETURN_IF_ERROR(
      compute.LoadNorm(tensors.relative_norm, disentangled.norm, ComputeType::kF32, norm));
  const size_t positions = tensors.relative_embeddings->elements() / linear.in_features;
  if (norm) {
    RETURN_IF_ERROR(
        compute.NormalizeF32(*norm, positions, linear.in_features, embeddings.address()));
  }
  std::vector<float> projected(positions * linear.out_features);
  CudaBuffer product = compute.DeviceBuffer();
  RETURN_IF_ERROR(product.Reserve(projected.size() * sizeof(float)));
  RETURN_IF_ERROR(
      compute.Multiply(linear, embeddings.address(), positions, /*added=*/0, product.address()));
  RETURN_IF_ERROR(
      compute.CopyToHost(projected.data(), product.address(), projected.size() * sizeof(float)));
  RETURN_IF_ERROR(compute.Synchronize());
  RETURN_IF_ERROR(to.Reserve(projected.size() * compute.element_bytes()));
  return compute.Put(projected, to.address(), compute.type());
}

Result<CudaPositions> LoadPositions(CudaCompute& compute, const Encoder& encoder,
                                    const EncoderTensors& tensors, const LayerTensors& of_layer) {
  CudaPositions made = {compute.DeviceBuffer(), compute.DeviceBuffer()};
  if (!encoder.disentangled) return made;
  const Disentangled& disentangled = *encoder.disentangled;
  if (disentangled.content_to_position) {
    RETURN_IF_ERROR(ProjectPositions(compute, tensors, disentangled,
                                     of_layer.position_key.value_or(of_layer.key), made.keys));
  }
  if (disentangled.position_to_content) {
    RETURN_IF_ERROR(ProjectPositions(compute, tensors, disentangled,
                                     of_layer.position_query.value_or(of_layer.query),
                                     made.queries));
  }
  return made;
}

Result<CudaLayerWeights> LoadLayer(CudaCompute& compute, const Encoder& encoder, const Layer& layer,
                                   const EncoderTensors& of_encoder, const LayerTensors& tensors) {
  const std::array<LinearTensors, 3> parts = {tensors.query, tensors.key, tensors.value};
  ASSIGN_OR_RETURN(CudaAdaptedLinear qkv, LoadAdaptedLinears(compute, parts));
  ASSIGN_OR_RETURN(CudaHeadNorms head_norms, LoadHeadNorms(compute, tensors, layer.attention));
  ASSIGN_OR_RETURN(CudaPositions positions, LoadPositions(compute, encoder, of_encoder, tensors));
  ASSIGN_OR_RETURN(CudaAdaptedLinear attention_output,
                   LoadAdaptedLinears(compute, {&tensors.attention_output, 1}));
  ASSIGN_OR_RETURN(CudaHalfNorms attention_norms,
                   LoadNorms(compute, tensors.attention_norms, layer.attention_norms));
  ASSIGN_OR_RETURN(CudaHalfNorms feed_forward_norms,
                   LoadNorms(compute, tensors.feed_forward_norms, layer.feed_forward_norms));
  CudaLayerWeights made = {std::move(qkv), std::move(head_norms), std::move(positions),
                           std::move(attention_output), std::move(attention_norms)};
  made.feed_forward_norms = std::move(feed_forward_norms);
  if (layer.feed_forward.experts) {
    ASSIGN_OR_RETURN(CudaExpertsWeights experts, LoadExperts(compute, tensors));
    made.experts.emplace(std::move(experts));
  } else {
    const FeedForwardTensors& feed_forward = tensors.feed_forward[0];
    std::vector<LinearTensors> intermediates;
    if (feed_forward.gate) intermediates.push_back(*feed_forward.gate);
    intermediates.push_back(feed_forward.intermediate);
    ASSIGN_OR_RETURN(CudaAdaptedLinear intermediate, LoadAdaptedLinears(compute, intermediates));
    ASSIGN_OR_RETURN(CudaAdaptedLinear output,
                     LoadAdaptedLinears(compute, {&feed_forward.output, 1}));
    made.intermediate.emplace(std::move(intermediate));
    made.output.emplace(std::move(output));
  }
  if (encoder.layer_inputs) {
    ASSIGN_OR_RETURN(CudaLayerInputs inputs,
                     LoadInputs(compute, *encoder.layer_inputs, *tensors.inputs));
    made.inputs.emplace(std::move(inputs));
  }
  if (tensors.output_scale) CopyToF32(*tensors.output_scale, {&made.output_scale, 1});
  return made;
}

}  // namespace

Result<CudaEncoderWeights> LoadEncoderWeights(CudaCompute& compute, const Encoder& encoder,
                                              const EncoderTensors& tensors) {
  const ComputeType type = compute.type();
  CudaEncoderWeights made = {compute.DeviceBuffer(), compute.DeviceBuffer(),
                             compute.DeviceBuffer()};
  RETURN_IF_ERROR(LoadTable(compute, tensors.word_embeddings, made.word_embeddings));
  RETURN_IF_ERROR(LoadTable(compute, tensors.position_embeddings, made.position_embeddings));
  RETURN_IF_ERROR(LoadTable(compute, tensors.token_type_embeddings, made.token_type_embeddings));
  ASSIGN_OR_RETURN(made.word_adapters, LoadTableAdapters(compute, tensors.word_adapters));
  ASSIGN_OR_RETURN(made.token_type_adapters,
                   LoadTableAdapters(compute, tensors.token_type_adapters));
  RETURN_IF_ERROR(compute.LoadNorm(tensors.embeddings_norm, encoder.embeddings_norm, type,
                                   made.embeddings_norm));
  if (tensors.projection) {
    ASSIGN_OR_RETURN(CudaLinear projection, compute.LoadLinear(*tensors.projection, type));
    made.projection.emplace(std::move(projection));
    RETURN_IF_ERROR(compute.LoadNorm(tensors.projected_norm, encoder.projected_norm, type,
                                     made.projected_norm));
  }
  for (const Layer& layer : encoder.layers) {
    if (layer.weights != made.layers.size()) continue;
    ASSIGN_OR_RETURN(CudaLayerWeights weights,
                     LoadLayer(compute, encoder, layer, tensors, tensors.layers[layer.weights]));
    made.layers.push_back(std::move(weights));
  }
  RETURN_IF_ERROR(compute.LoadNorm(tensors.final_norm, encoder.final_norm, type, made.final_norm));
  return made;
}

}  // namespace embedding
