#include "backends/cuda/cuda_experts.h"

#include <algorithm>
#include <utility>

#include "backends/cuda/row_counts.h"
#include "backends/experts.h"

namespace embedding {

Result<CudaExpertsWeights> LoadExperts(CudaCompute& compute, const LayerTensors& tensors) {
  const ComputeType type = compute.type();
  ASSIGN_OR_RETURN(CudaLinear router, compute.LoadLinear(*tensors.router, type));
  CudaExpertsWeights made = {std::move(router), {}, compute.DeviceBuffer()};
  for (const FeedForwardTensors& expert : tensors.feed_forward) {
    std::vector<LinearTensors> parts;
    if (expert.gate) parts.push_back(*expert.gate);
    parts.push_back(expert.intermediate);
    ASSIGN_OR_RETURN(CudaLinear intermediate, compute.LoadLinears(parts, type));
    ASSIGN_OR_RETURN(CudaLinear output, compute.LoadLinear(expert.output, type));
    made.experts.push_back({std::move(intermediate), std::move(output)});
  }
  if (!tensors.experts_bias) return made;
  RETURN_IF_ERROR(made.bias.Reserve(tensors.experts_bias->elements() * compute.element_bytes()));
  RETURN_IF_ERROR(compute.Fill(*tensors.experts_bias, made.bias.address(), type));
  return made;
}

CudaExperts::CudaExperts(CudaCompute& compute)
    : compute_(compute),
      logits_(compute.DeviceBuffer()),
      logits_f32_(compute.DeviceBuffer()),
      indices_(compute.DeviceBuffer()),
      gathered_(compute.DeviceBuffer()),
      inner_(compute.DeviceBuffer()),
      gated_(compute.DeviceBuffer()),
      outputs_(compute.DeviceBuffer()) {}

void CudaExperts::FreeBuffers() {
  for (CudaBuffer* const buffer :
       {&logits_, &logits_f32_, &indices_, &gathered_, &inner_, &gated_, &outputs_}) {
    buffer->Free();
  }
}

Status CudaExperts::Choose(const Experts& experts, const CudaExpertsWeights& weights, CudaPointer x,
                           size_t rows) {
  const size_t count = rows * experts.count;
  RETURN_IF_ERROR(logits_.Reserve(count * compute_.element_bytes()));
  RETURN_IF_ERROR(logits_f32_.Reserve(count * sizeof(float)));
  RETURN_IF_ERROR(compute_.Multiply(weights.router, x, rows, /*added=*/0, logits_.address()));
  RETURN_IF_ERROR(compute_.ToF32(logits_.address(), count, logits_f32_.address()));
  host_logits_.resize(count);
  RETURN_IF_ERROR(
      compute_.CopyToHost(host_logits_.data(), logits_f32_.address(), count * sizeof(float)));
  RETURN_IF_ERROR(compute_.Synchronize());

  groups_.clear();
  rows_.clear();
  places_.resize(rows * experts.chosen);
  weights_.resize(rows * experts.chosen);
  std::vector<size_t> chosen(rows);  // so far, of each row
  const auto by_expert = ChooseExperts(experts, host_logits_);
  for (size_t e = 0; e < by_expert.size(); ++e) {
    if (by_expert[e].empty()) continue;
    const Group group = {e, rows_.size(), ProductRows(by_expert[e].size())};
    for (const auto& [row, weight] : by_expert[e]) {
      const size_t at = row * experts.chosen + chosen[row]++;
      places_[at] = static_cast<int32_t>(rows_.size());
      weights_[at] = weight;
      rows_.push_back(static_cast<int32_t>(row));
    }
    rows_.resize(group.first + group.rows, 0);
    groups_.push_back(group);
  }
  return {};
}

Status CudaExperts::Run(const FeedForward& feed_forward, const CudaExpertsWeights& weights,
                        CudaPointer x, size_t rows, CudaPointer added, CudaPointer to) {
  RETURN_IF_ERROR(Choose(*feed_forward.experts, weights, x, rows));
  const size_t hidden = compute_.kernels().options().hidden_size;
  const size_t bytes = compute_.element_bytes();
  const size_t width = feed_forward.width * (feed_forward.gated ? 2 : 1);
  size_t largest = 0;
  for (const Group& group : groups_) largest = std::max(largest, group.rows);
  RETURN_IF_ERROR(gathered_.Reserve(rows_.size() * hidden * bytes));
  RETURN_IF_ERROR(outputs_.Reserve(rows_.size() * hidden * bytes));
  RETURN_IF_ERROR(inner_.Reserve(largest * width * bytes));
  if (feed_forward.gated) RETURN_IF_ERROR(gated_.Reserve(largest * feed_forward.width * bytes));

  const size_t row_bytes = rows_.size() * sizeof(int32_t);
  const size_t place_bytes = places_.size() * sizeof(int32_t);
  RETURN_IF_ERROR(indices_.Reserve(row_bytes + 2 * place_bytes));
  const CudaPointer places = indices_.address() + row_bytes;
  const CudaPointer of_places = places + place_bytes;
  RETURN_IF_ERROR(compute_.CopyToDevice(indices_.address(), rows_.data(), row_bytes));
  RETURN_IF_ERROR(compute_.CopyToDevice(places, places_.data(), place_bytes));
  RETURN_IF_ERROR(compute_.CopyToDevice(of_places, weights_.data(), place_bytes));

  RETURN_IF_ERROR(
      compute_.GatherRows(x, indices_.address(), rows_.size(), hidden, gathered_.address()));
  for (const Group& group : groups_) {
    const CudaExpertsWeights::Expert& expert = weights.experts[group.expert];
    const size_t at = group.first * hidden * bytes;
    RETURN_IF_ERROR(compute_.Multiply(expert.intermediate, gathered_.address() + at, group.rows,
                                      /*added=*/0, inner_.address()));
    ASSIGN_OR_RETURN(const CudaPointer inner, compute_.Activated(feed_forward, inner_.address(),
                                                                 group.rows, gated_.address()));
    RETURN_IF_ERROR(
        compute_.Multiply(expert.output, inner, group.rows, /*added=*/0, outputs_.address() + at));
  }
  return compute_.kernels().Launch(Kernel::kCombineExperts, OneWarpARow(rows), compute_.stream(),
                                   outputs_.address(), places, of_places,
                                   static_cast<int>(feed_forward.experts->chosen),
                                   weights.bias.address(), added, static_cast<int>(rows), to);
}

}  // namespace embedding
