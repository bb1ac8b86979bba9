// CudaConvolution: what an encoder's Convolution (model/architecture.h) adds beside its first
// layer, on a GPU of NVIDIA's.
//
// Not thread-safe: the encoder owns it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "backends/cuda/cuda_compute.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

class CudaConvolution {
 public:
  // `compute` must outlive it; nullptr where the encoder has none. Errors: kOutOfMemory, kInternal.
  static Result<std::unique_ptr<CudaConvolution>> Load(CudaCompute& compute, const Encoder& encoder,
                                                       const EncoderTensors& tensors);

  size_t kernel() const { return convolution_.kernel; }

  // For so many rows, of which so many may be kept; whether there was room already.
  Result<bool> Reserve(size_t rows, size_t kept);
  void FreeBuffers();

  // Begin to compute. The branch, of what the first layer is given, x, [rows, hidden_size];
  // `neighbours` are PlaceNeighbours', on the device, -1 beyond a sequence's ends.
  Status Launch(CudaPointer x, CudaPointer neighbours, size_t rows);
  // The branch of these rows alone, `count` int32_t on the device.
  Status Keep(CudaPointer kept, size_t count);
  // x = norm(x + branch), of as many rows as the branch has.
  Status AddTo(CudaPointer x);

 private:
  CudaConvolution(CudaCompute& compute, const Encoder& encoder, CudaLinear linear)
      : compute_(compute),
        convolution_(*encoder.convolution),
        hidden_size_(encoder.hidden_size),
        linear_(std::move(linear)),
        neighbours_(compute.DeviceBuffer()),
        branch_(compute.DeviceBuffer()),
        kept_(compute.DeviceBuffer()) {}

  CudaCompute& compute_;
  const Convolution convolution_;
  const size_t hidden_size_;
  CudaLinear linear_;  // kernel * hidden_size -> hidden_size
  std::optional<CudaNorm> norm_;

  // Of the batch that is computed.
  CudaBuffer neighbours_;  // [rows, kernel * hidden_size]
  CudaBuffer branch_;      // [rows, hidden_size]
  CudaBuffer kept_;        // of it the rows that the last layer keeps
  CudaPointer at_ = 0;     // where the branch is
  size_t rows_ = 0;
};

}  // namespace embedding
