// What a session computes with, and how weights come to the device.
//
// Not thread-safe. Work is begun on one stream and done in order; Synchronize waits for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "backends/cuda/cuda_device.h"
#include "backends/cuda/cuda_kernels.h"
#include "backends/cuda/cuda_products.h"
#include "model/heads.h"
#include "model/tensors.h"

namespace embedding {

// LayerNorm over the hidden size.
struct CudaNorm {
  CudaBuffer weight;
  CudaBuffer bias;
  float eps = 0;
};

class CudaCompute {
 public:
  static Result<std::unique_ptr<CudaCompute>> Load(std::shared_ptr<const CudaDevice> device,
                                                   const KernelOptions& options);
  CudaCompute(const CudaCompute&) = delete;
  CudaCompute& operator=(const CudaCompute&) = delete;
  ~CudaCompute();

  const CudaDevice& device() const { return *device_; }
  const CudaDriver& driver() const { return device_->driver(); }
  const CudaKernels& kernels() const { return *kernels_; }
  CudaProducts& products() { return *products_; }
  CudaStream stream() const { return stream_; }
  ComputeType type() const { return kernels_->options().type; }
  size_t element_bytes() const { return kernels_->options().element_bytes(); }

  CudaBuffer DeviceBuffer() const { return CudaBuffer(device_); }
  CudaBuffer HostBuffer() const { return CudaBuffer(device_, CudaBuffer::Kind::kHost); }

  // `type` is kF32, or type() for weights of the encoder. The numbers are on the device when these
  // return.
  Status Fill(const TensorView& tensor, CudaPointer to, ComputeType type);
  Result<CudaBuffer> LoadTensor(const TensorView& tensor, ComputeType type);
  Result<CudaNorm> LoadNorm(const NormTensors& tensors, Norm norm, ComputeType type);
  // Several of the same input as one, their outputs side by side.
  Result<CudaLinear> LoadLinears(std::span<const LinearTensors> tensors, ComputeType type);
  Result<CudaLinear> LoadLinear(const LinearTensors& tensors, ComputeType type) {
    return LoadLinears({&tensors, 1}, type);
  }

  // Begin to compute, by kernels/rows.cu. `type` is that of x: kF32 or type().
  Status LayerNorm(const CudaNorm& norm, CudaPointer x, size_t rows, CudaPointer to,
                   ComputeType type) const;
  Status Activate(Activation activation, CudaPointer x, size_t count, ComputeType type) const;
  Status Multiply(const CudaLinear& linear, CudaPointer x, size_t rows, CudaPointer added,
                  CudaPointer y) {
    return products_->Run(linear, x, rows, added, y, stream_);
  }
  Status CopyToDevice(CudaPointer to, const void* from, size_t bytes) const;
  Status CopyToHost(void* to, CudaPointer from, size_t bytes) const;

  Status Synchronize() const;

 private:
  explicit CudaCompute(std::shared_ptr<const CudaDevice> device) : device_(std::move(device)) {}

  const std::shared_ptr<const CudaDevice> device_;
  CudaStream stream_ = nullptr;
  std::unique_ptr<CudaKernels> kernels_;
  std::unique_ptr<CudaProducts> products_;
};

}  // namespace embedding
