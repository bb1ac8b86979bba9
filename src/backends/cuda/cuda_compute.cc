#include "backends/cuda/cuda_compute.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace embedding {
Grid GridOver(size_t count) {
  constexpr size_t kThreads = 256;
  constexpr size_t kOfThread = 8;
  constexpr size_t kMaxBlocks = 132 * 16;  // a few for each multiprocessor of the largest GPUs
  return {.x = std::clamp<size_t>(count / (kThreads * kOfThread), 1, kMaxBlocks),
          .threads = kThreads};
}

Result<std::unique_ptr<CudaCompute>> CudaCompute::Load(std::shared_ptr<const CudaDevice> device,
                                                       const KernelOptions& options) {
  RETURN_IF_ERROR(device->MakeCurrent());
  std::unique_ptr<CudaCompute> compute(new CudaCompute(std::move(device)));
  RETURN_IF_ERROR(compute->device_->Check(
      compute->driver().StreamCreate(&compute->stream_, kCudaStreamNonBlocking), "a stream"));
  ASSIGN_OR_RETURN(compute->kernels_, CudaKernels::Load(compute->device_, options));
  ASSIGN_OR_RETURN(compute->products_, CudaProducts::Load(compute->device_));
  return compute;
}

CudaCompute::~CudaCompute() {
  if (stream_ == nullptr || !device_->MakeCurrent().ok()) return;
  driver().StreamSynchronize(stream_);
  driver().StreamDestroy(stream_);
}

Status CudaCompute::Put(std::span<const float> numbers, CudaPointer to, ComputeType type) {
  const size_t bytes = numbers.size_bytes();
  if (type == ComputeType::kF32) {
    RETURN_IF_ERROR(CopyToDevice(to, numbers.data(), bytes));
  } else {
    RETURN_IF_ERROR(staged_.Reserve(bytes));
    RETURN_IF_ERROR(CopyToDevice(staged_.address(), numbers.data(), bytes));
    RETURN_IF_ERROR(kernels_->Launch(Kernel::kFromF32, GridOver(numbers.size()), stream_,
                                     staged_.address(), uint64_t{numbers.size()}, to));
  }
  return Synchronize();
}

Status CudaCompute::Fill(const TensorView& tensor, CudaPointer to, ComputeType type) {
  // In pieces: a table of embeddings alone would take a gigabyte on either side.
  constexpr size_t kPiece = size_t{4} << 20;
  const size_t element = DTypeBytes(tensor.dtype);
  std::vector<float> numbers;
  for (size_t at = 0; at < tensor.elements(); at += kPiece) {
    const size_t count = std::min(kPiece, tensor.elements() - at);
    TensorView piece = tensor;
    piece.bytes = tensor.bytes.subspan(at * element, count * element);
    numbers.resize(count);
    CopyToF32(piece, numbers);
    RETURN_IF_ERROR(Put(numbers, to + BytesOf(type) * at, type));
  }
  return {};
}

Result<CudaBuffer> CudaCompute::LoadTensor(const TensorView& tensor, ComputeType type) {
  CudaBuffer buffer = DeviceBuffer();
  RETURN_IF_ERROR(buffer.Reserve(tensor.elements() * BytesOf(type)));
  RETURN_IF_ERROR(Fill(tensor, buffer.address(), type));
  return buffer;
}

Status CudaCompute::LoadNorm(const std::optional<NormTensors>& tensors,
                             const std::optional<Norm>& norm, ComputeType type,
                             std::optional<CudaNorm>& made) {
  if (!norm) return {};
  made.emplace(CudaNorm{DeviceBuffer(), DeviceBuffer(), *norm});
  if (!norm->weighted) return {};
  std::vector<float> weight(tensors->weight.elements());
  CopyToF32(tensors->weight, weight);
  if (norm->plus_one) {
    for (float& x : weight) x += 1;
  }
  RETURN_IF_ERROR(made->weight.Reserve(weight.size() * BytesOf(type)));
  RETURN_IF_ERROR(Put(weight, made->weight.address(), type));
  if (!norm->has_bias()) return {};
  RETURN_IF_ERROR(made->bias.Reserve(weight.size() * BytesOf(type)));
  return Fill(*tensors->bias, made->bias.address(), type);
}

Result<CudaLinear> CudaCompute::LoadLinears(std::span<const LinearTensors> tensors,
                                            ComputeType type) {
  CudaLinear linear = {DeviceBuffer(), DeviceBuffer(), tensors[0].in_features(), 0, type};
  for (const LinearTensors& each : tensors) linear.out_features += each.out_features();
  const size_t bytes = BytesOf(type);
  RETURN_IF_ERROR(linear.weight.Reserve(linear.out_features * linear.in_features * bytes));
  RETURN_IF_ERROR(linear.bias.Reserve(linear.out_features * bytes));
  RETURN_IF_ERROR(device_->Check(
      driver().MemsetD8Async(linear.bias.address(), 0, linear.bias.bytes(), stream_), "a bias"));
  size_t row = 0;
  for (const LinearTensors& each : tensors) {
    RETURN_IF_ERROR(
        Fill(each.weight, linear.weight.address() + row * linear.in_features * bytes, type));
    if (each.bias) RETURN_IF_ERROR(Fill(*each.bias, linear.bias.address() + row * bytes, type));
    row += each.out_features();
  }
  return linear;
}

Status CudaCompute::Normalize(const CudaNorm& norm, CudaPointer x, size_t rows, CudaPointer added,
                              CudaPointer to) const {
  return kernels_->Launch(Kernel::kNormalize, OneWarpARow(rows), stream_, x,
                          static_cast<int>(norm.norm.kind), norm.weight.address(),
                          norm.bias.address(), norm.norm.eps, added, static_cast<int>(rows), to);
}

Status CudaCompute::NormalizeF32(const CudaNorm& norm, size_t rows, size_t columns,
                                 CudaPointer x) const {
  if (rows == 0) return {};
  return kernels_->Launch(Kernel::kNormalizeF32, OneWarpARow(rows), stream_,
                          static_cast<int>(norm.norm.kind), norm.weight.address(),
                          norm.bias.address(), norm.norm.eps, static_cast<int>(rows),
                          static_cast<int>(columns), x);
}

Status CudaCompute::NormalizeLengths(size_t rows, size_t columns, CudaPointer x) const {
  if (rows == 0) return {};
  return kernels_->Launch(Kernel::kNormalizeLengths, OneWarpARow(rows), stream_,
                          static_cast<int>(rows), static_cast<int>(columns), x);
}

Status CudaCompute::ToF32(CudaPointer x, size_t count, CudaPointer to) const {
  return kernels_->Launch(Kernel::kToF32, GridOver(count), stream_, x, uint64_t{count}, to);
}

Status CudaCompute::AddF32(CudaPointer added, size_t count, CudaPointer x) const {
  if (count == 0) return {};
  return kernels_->Launch(Kernel::kAddF32, GridOver(count), stream_, added, uint64_t{count}, x);
}

Status CudaCompute::Activate(Activation activation, CudaPointer x, size_t count,
                             ComputeType type) const {
  if (activation == Activation::kIdentity) return {};
  const Kernel kernel = type == this->type() ? Kernel::kActivate : Kernel::kActivateF32;
  return kernels_->Launch(kernel, GridOver(count), stream_, static_cast<int>(activation),
                          uint64_t{count}, x);
}

Status CudaCompute::Add(CudaPointer added, size_t count, CudaPointer x) const {
  return kernels_->Launch(Kernel::kAdd, GridOver(count), stream_, added, uint64_t{count}, x);
}

Status CudaCompute::Scale(float factor, CudaPointer x, size_t count) const {
  return kernels_->Launch(Kernel::kScale, GridOver(count), stream_, factor, uint64_t{count}, x);
}

Status CudaCompute::GatherRows(CudaPointer x, CudaPointer rows, size_t count, size_t columns,
                               CudaPointer to) const {
  if (count == 0) return {};
  return kernels_->Launch(Kernel::kGatherRows, {.x = count, .threads = 256}, stream_, x, rows,
                          static_cast<int>(columns), to);
}

Status CudaCompute::Gate(Activation activation, CudaPointer x, size_t rows, size_t width,
                         CudaPointer to) const {
  return kernels_->Launch(Kernel::kGate, GridOver(rows * width), stream_,
                          static_cast<int>(activation), x, uint64_t{rows}, uint64_t{width}, to);
}

Result<CudaPointer> CudaCompute::Activated(const FeedForward& feed_forward, CudaPointer inner,
                                           size_t rows, CudaPointer gated) const {
  if (feed_forward.gated) {
    RETURN_IF_ERROR(Gate(feed_forward.activation, inner, rows, feed_forward.width, gated));
    return gated;
  }
  RETURN_IF_ERROR(Activate(feed_forward.activation, inner, rows * feed_forward.width, type()));
  return inner;
}

Status CudaCompute::CopyToDevice(CudaPointer to, const void* from, size_t bytes) const {
  if (bytes == 0) return {};
  return device_->Check(driver().MemcpyHtoDAsync(to, from, bytes, stream_),
                        "copying to the GPU's memory");
}

Status CudaCompute::CopyOnDevice(CudaPointer to, CudaPointer from, size_t bytes) const {
  return device_->Check(driver().MemcpyDtoDAsync(to, from, bytes, stream_),
                        "copying in the GPU's memory");
}

Status CudaCompute::CopyToHost(void* to, CudaPointer from, size_t bytes) const {
  if (bytes == 0) return {};
  return device_->Check(driver().MemcpyDtoHAsync(to, from, bytes, stream_),
                        "copying from the GPU's memory");
}

Status CudaCompute::Synchronize() const {
  return device_->Check(driver().StreamSynchronize(stream_), "computing");
}

}  // namespace embedding
