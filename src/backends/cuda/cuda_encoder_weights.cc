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

Result<CudaLayerWeights> LoadLayer(CudaCompute& compute, const Layer& layer,
                                   const LayerTensors& tensors) {
  const ComputeType type = compute.type();
  const FeedForwardTensors& feed_forward = tensors.feed_forward[0];
  const std::array<LinearTensors, 3> parts = {tensors.query, tensors.key, tensors.value};
  std::vector<LinearTensors> intermediates;
  if (feed_forward.gate) intermediates.push_back(*feed_forward.gate);
  intermediates.push_back(feed_forward.intermediate);
  ASSIGN_OR_RETURN(CudaLinear qkv, compute.LoadLinears(parts, type));
  ASSIGN_OR_RETURN(CudaHeadNorms head_norms, LoadHeadNorms(compute, tensors, layer.attention));
  ASSIGN_OR_RETURN(CudaLinear attention_output, compute.LoadLinear(tensors.attention_output, type));
  ASSIGN_OR_RETURN(CudaHalfNorms attention_norms,
                   LoadNorms(compute, tensors.attention_norms, layer.attention_norms));
  ASSIGN_OR_RETURN(CudaLinear intermediate, compute.LoadLinears(intermediates, type));
  ASSIGN_OR_RETURN(CudaLinear output, compute.LoadLinear(feed_forward.output, type));
  ASSIGN_OR_RETURN(CudaHalfNorms feed_forward_norms,
                   LoadNorms(compute, tensors.feed_forward_norms, layer.feed_forward_norms));
  return CudaLayerWeights{std::move(qkv),
                          std::move(head_norms),
                          std::move(attention_output),
                          std::move(attention_norms),
                          std::move(intermediate),
                          std::move(output),
                          std::move(feed_forward_norms)};
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
                     LoadLayer(compute, layer, tensors.layers[layer.weights]));
    made.layers.push_back(std::move(weights));
  }
  RETURN_IF_ERROR(compute.LoadNorm(tensors.final_norm, encoder.final_norm, type, made.final_norm));
  return made;
}

}  // namespace embedding
