#include "backends/cuda/cuda_convolution.h"

#include <array>

namespace embedding {

Result<std::unique_ptr<CudaConvolution>> CudaConvolution::Load(CudaCompute& compute,
                                                               const Encoder& encoder,
                                                               const EncoderTensors& tensors) {
  if (!encoder.convolution) return std::unique_ptr<CudaConvolution>();
  const ComputeType type = compute.type();
  ASSIGN_OR_RETURN(CudaLinear linear, compute.LoadLinear(*tensors.convolution, type));
  std::unique_ptr<CudaConvolution> made(new CudaConvolution(compute, encoder, std::move(linear)));
  RETURN_IF_ERROR(
      compute.LoadNorm(tensors.convolution_norm, encoder.convolution->norm, type, made->norm_));
  return made;
}

Result<bool> CudaConvolution::Reserve(size_t rows, size_t kept) {
  const size_t row = hidden_size_ * compute_.element_bytes();
  const std::array<std::pair<CudaBuffer*, size_t>, 3> needs = {{
      {&neighbours_, rows * convolution_.kernel * row},
      {&branch_, rows * row},
      {&kept_, kept * row},
  }};
  bool has_room = true;
  for (const auto& [buffer, bytes] : needs) {
    has_room &= bytes <= buffer->bytes();
    RETURN_IF_ERROR(buffer->Reserve(bytes));
  }
  return has_room;
}

void CudaConvolution::FreeBuffers() {
  for (CudaBuffer* const buffer : {&neighbours_, &branch_, &kept_}) buffer->Free();
}

Status CudaConvolution::Launch(CudaPointer x, CudaPointer neighbours, size_t rows) {
  at_ = branch_.address();
  rows_ = rows;
  // A row's neighbours stand one behind the other: they are one row of the product.
  RETURN_IF_ERROR(compute_.GatherRows(x, neighbours, rows * convolution_.kernel, hidden_size_,
                                      neighbours_.address()));
  RETURN_IF_ERROR(compute_.Multiply(linear_, neighbours_.address(), rows, /*added=*/0, at_));
  return compute_.Activate(convolution_.activation, at_, rows * hidden_size_, compute_.type());
}

Status CudaConvolution::Keep(CudaPointer kept, size_t count) {
  RETURN_IF_ERROR(compute_.GatherRows(at_, kept, count, hidden_size_, kept_.address()));
  at_ = kept_.address();
  rows_ = count;
  return {};
}

Status CudaConvolution::AddTo(CudaPointer x) {
  RETURN_IF_ERROR(compute_.Add(at_, rows_ * hidden_size_, x));
  return compute_.Normalize(*norm_, x, rows_, /*added=*/0, x);
}

}  // namespace embedding
