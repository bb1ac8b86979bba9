// What a session computes with, and how weights come to the device.
//
// Not thread-safe. Work is begun on one stream and done in order; Synchronize waits for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "backends/cuda/cuda_device.h"
#include "backends/cuda/cuda_kernels.h"
#include "backends/cuda/cuda_products.h"
#include "model/architecture.h"
#include "model/heads.h"
#include "model/tensors.h"

namespace embedding {

struct CudaNorm {
  CudaBuffer weight;  // empty where it is not weighted
  CudaBuffer bias;    // empty where there is none
  Norm norm;
};

// Of a kernel whose threads take one number, or a few, after the other.
Grid GridOver(size_t count);

class CudaCompute {
 public:
  static Result<std::unique_ptr<CudaCompute>> Load(std::shared_ptr<const CudaDevice> device,
                                                   const KernelOptions& options);
  CudaCompute(const CudaCompute&) = delete;
  CudaCompute& operator=(const CudaCompute&) = delete;
  ~CudaCompute();

  const CudaDevice& device() const { return *device_; }
  std::shared_ptr<const CudaDevice> shared_device() const { return device_; }
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
  Status Put(std::span<const float> numbers, CudaPointer to, ComputeType type);
  void FreeStaged() { staged_.Free(); }  // what loading has needed
  Status Fill(const TensorView& tensor, CudaPointer to, ComputeType type);
  Result<CudaBuffer> LoadTensor(const TensorView& tensor, ComputeType type);
  // Into nothing, where there is no such norm.
  Status LoadNorm(const std::optional<NormTensors>& tensors, const std::optional<Norm>& norm,
                  ComputeType type, std::optional<CudaNorm>& made);
  // Several of the same input as one, their outputs side by side.
  Result<CudaLinear> LoadLinears(std::span<const LinearTensors> tensors, ComputeType type);
  Result<CudaLinear> LoadLinear(const LinearTensors& tensors, ComputeType type) {
    return LoadLinears({&tensors, 1}, type);
  }

  // Begin to compute, by kernels/rows.cu, numbers.cu and heads.cu. Of the encoder's rows,
  // [rows, hidden_size]: norm(x), or added + norm(x), where `added` is not 0.
  Status Normalize(const CudaNorm& norm, CudaPointer x, size_t rows, CudaPointer added,
                   CudaPointer to) const;
  // In place, [rows, columns] in f32.
  Status NormalizeF32(const CudaNorm& norm, size_t rows, size_t columns, CudaPointer x) const;
  Status NormalizeLengths(size_t rows, size_t columns, CudaPointer x) const;
  Status ToF32(CudaPointer x, size_t count, CudaPointer to) const;  // of type()
  // x += added, in f32.
  Status AddF32(CudaPointer added, size_t count, CudaPointer x) const;
  // In place; `type` is that of x: kF32 or type().
  Status Activate(Activation activation, CudaPointer x, size_t count, ComputeType type) const;
  // x += added, of type().
  Status Add(CudaPointer added, size_t count, CudaPointer x) const;
  // x *= factor, of type().
  Status Scale(float factor, CudaPointer x, size_t count) const;
  // activation(gate) * x, where both stand side by side in `x`, [rows, 2 * width].
  Status Gate(Activation activation, CudaPointer x, size_t rows, size_t width,
              CudaPointer to) const;
  // What a feed-forward makes of its first product: in place, or in `gated` where it is gated.
  // Where that is.
  Result<CudaPointer> Activated(const FeedForward& feed_forward, CudaPointer inner, size_t rows,
                                CudaPointer gated) const;
  // to[i] = x[rows[i]], or zeros where that is negative, of type(), [count, columns]; `rows` are
  // int32_t on the device.
  Status GatherRows(CudaPointer x, CudaPointer rows, size_t count, size_t columns,
                    CudaPointer to) const;
  Status Multiply(const CudaLinear& linear, CudaPointer x, size_t rows, CudaPointer added,
                  CudaPointer y) {
    return products_->Run(linear, x, rows, added, y, stream_);
  }
  Status CopyToDevice(CudaPointer to, const void* from, size_t bytes) const;
  Status CopyOnDevice(CudaPointer to, CudaPointer from, size_t bytes) const;
  Status CopyToHost(void* to, CudaPointer from, size_t bytes) const;

  Status Synchronize() const;

 private:
  explicit CudaCompute(std::shared_ptr<const CudaDevice> device)
      : device_(std::move(device)), staged_(device_) {}

  const std::shared_ptr<const CudaDevice> device_;
  CudaStream stream_ = nullptr;
  std::unique_ptr<CudaKernels> kernels_;
  std::unique_ptr<CudaProducts> products_;
  CudaBuffer staged_;  // f32 that are rounded on the device
};

}  // namespace embedding
