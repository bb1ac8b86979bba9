#include "backends/cuda/cuda_feed_forward.h"

#include <algorithm>
#include <array>
#include <utility>

namespace embedding {

CudaFeedForward::CudaFeedForward(CudaCompute& compute, CudaAdapterProducts& products,
                                 const Encoder& encoder)
    : compute_(compute),
      products_(products),
      encoder_(encoder),
      attended_(compute.DeviceBuffer()),
      inner_(compute.DeviceBuffer()),
      gated_(compute.DeviceBuffer()),
      experts_(compute) {
  for (const Layer& layer : encoder.layers) {
    const FeedForward& feed_forward = layer.feed_forward;
    if (feed_forward.experts) continue;
    largest_intermediate_ =
        std::max(largest_intermediate_, feed_forward.width * (feed_forward.gated ? 2 : 1));
    if (feed_forward.gated) largest_gated_ = std::max(largest_gated_, feed_forward.width);
  }
  if (encoder.layer_inputs) {
    largest_intermediate_ = std::max(largest_intermediate_, encoder.layer_inputs->size);
    largest_gated_ = std::max(largest_gated_, encoder.layer_inputs->size);
  }
}

Result<bool> CudaFeedForward::Reserve(size_t rows) {
  const size_t row = std::min(rows, kFeedForwardRows) * compute_.element_bytes();
  const std::array<std::pair<CudaBuffer*, size_t>, 3> needs = {{
      {&attended_, row * encoder_.hidden_size},
      {&inner_, row * largest_intermediate_},
      {&gated_, row * largest_gated_},
  }};
  bool has_room = true;
  for (const auto& [buffer, bytes] : needs) {
    has_room &= bytes <= buffer->bytes();
    RETURN_IF_ERROR(buffer->Reserve(bytes));
  }
  return has_room;
}

void CudaFeedForward::FreeBuffers() {
  for (CudaBuffer* const buffer : {&attended_, &inner_, &gated_}) buffer->Free();
  experts_.FreeBuffers();
}

Status CudaFeedForward::Launch(const Layer& layer, const CudaLayerWeights& weights,
                               const Rows& rows) {
  const CudaPointer attended = attended_.address();
  RETURN_IF_ERROR(AddBranch(weights.attention_norms, weights.attention_output, rows.context, rows.x,
                            attended, rows));
  CudaPointer given = attended;
  if (const std::optional<CudaNorm>& norm = weights.feed_forward_norms.input) {
    given = rows.normed;
    RETURN_IF_ERROR(compute_.Normalize(*norm, attended, rows.count, /*added=*/0, given));
  }
  RETURN_IF_ERROR(AddFeedForward(layer, weights, given, rows));
  if (weights.inputs) RETURN_IF_ERROR(AddInputs(*weights.inputs, rows.first, rows.to, rows.count));
  if (weights.output_scale == 1) return {};
  return compute_.Scale(weights.output_scale, rows.to, rows.count * encoder_.hidden_size);
}

Status CudaFeedForward::AddFeedForward(const Layer& layer, const CudaLayerWeights& weights,
                                       CudaPointer given, const Rows& rows) {
  const FeedForward& feed_forward = layer.feed_forward;
  const CudaHalfNorms& norms = weights.feed_forward_norms;
  const CudaPointer attended = attended_.address();
  if (weights.experts) {
    RETURN_IF_ERROR(experts_.Run(feed_forward, *weights.experts, given, rows.count,
                                 norms.branch ? 0 : attended, rows.to));
    if (norms.branch)
      RETURN_IF_ERROR(compute_.Normalize(*norms.branch, rows.to, rows.count, attended, rows.to));
    if (!norms.output) return {};
    return compute_.Normalize(*norms.output, rows.to, rows.count, /*added=*/0, rows.to);
  }
  RETURN_IF_ERROR(products_.Multiply(*weights.intermediate, given, rows.adapted, rows.count,
                                     /*added=*/0, inner_.address()));
  ASSIGN_OR_RETURN(const CudaPointer inner, compute_.Activated(feed_forward, inner_.address(),
                                                               rows.count, gated_.address()));
  return AddBranch(norms, *weights.output, inner, attended, rows.to, rows);
}

Status CudaFeedForward::AddBranch(const CudaHalfNorms& norms, const CudaAdaptedLinear& linear,
                                  CudaPointer in, CudaPointer x, CudaPointer to, const Rows& rows) {
  RETURN_IF_ERROR(
      products_.Multiply(linear, in, rows.adapted, rows.count, norms.branch ? 0 : x, to));
  if (norms.branch) RETURN_IF_ERROR(compute_.Normalize(*norms.branch, to, rows.count, x, to));
  if (!norms.output) return {};
  return compute_.Normalize(*norms.output, to, rows.count, /*added=*/0, to);
}

Status CudaFeedForward::AddInputs(const CudaLayerInputs& inputs, CudaPointer first, CudaPointer x,
                                  size_t rows) {
  const LayerInputs& of = *encoder_.layer_inputs;
  const CudaPointer parts = inner_.address();
  const CudaPointer gates = gated_.address();
  const CudaPointer branch = attended_.address();
  RETURN_IF_ERROR(compute_.Multiply(inputs.input, first, rows, /*added=*/0, parts));
  RETURN_IF_ERROR(compute_.Multiply(inputs.gate, x, rows, /*added=*/0, gates));
  const CudaNorm& norm = *inputs.norm;
  RETURN_IF_ERROR(compute_.kernels().Launch(
      Kernel::kGateInputs, OneWarpARow(rows), compute_.stream(), parts, of.scale,
      static_cast<int>(of.activation), static_cast<int>(norm.norm.kind), norm.weight.address(),
      norm.bias.address(), norm.norm.eps, static_cast<int>(rows), static_cast<int>(of.size),
      gates));
  RETURN_IF_ERROR(compute_.Multiply(inputs.output, gates, rows, /*added=*/0, branch));
  return compute_.Normalize(*inputs.branch_norm, branch, rows, x, x);
}

}  // namespace embedding
