// Matrix products by cuBLASLt.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <tuple>

#include "backends/cuda/cuda_device.h"
#include "embedding/device.h"

namespace embedding {

// x W^T + b, on the device.
struct CudaLinear {
  CudaBuffer weight;  // [out_features, in_features]
  CudaBuffer bias;    // [out_features]; zeros where there is none
  size_t in_features = 0;
  size_t out_features = 0;
  ComputeType type = ComputeType::kF32;  // of all numbers; sums are f32
};

// Not thread-safe.
class CudaProducts {
 public:
  // Errors: kDeviceUnavailable without the library; kOutOfMemory; kInternal.
  static Result<std::unique_ptr<CudaProducts>> Load(std::shared_ptr<const CudaDevice> device);
  CudaProducts(const CudaProducts&) = delete;
  CudaProducts& operator=(const CudaProducts&) = delete;
  ~CudaProducts();

  // y = x W^T + b, or + b + added, where `added` is not 0: [rows, out_features]. y may be `added`.
  // Begins to compute; the sums of a row do not depend on the others, nor on how many there are, as
  // long as the library's kernels add up in the same order: no sum is split among blocks.
  Status Run(const CudaLinear& linear, CudaPointer x, size_t rows, CudaPointer added, CudaPointer y,
             CudaStream stream);

 private:
  // rows, in_features, out_features, type, whether something is added.
  using Shape = std::tuple<size_t, size_t, size_t, ComputeType, bool>;
  struct Plan;

  CudaProducts(std::shared_ptr<const CudaDevice> device, const CublasLt& cublas);
  Result<Plan*> PlanFor(const Shape& shape);
  Status Check(int status, const char* what) const;

  const std::shared_ptr<const CudaDevice> device_;
  const CublasLt& cublas_;
  CublasLt::Handle handle_ = nullptr;
  CudaBuffer workspace_;
  std::map<Shape, std::unique_ptr<Plan>> plans_;
};

}  // namespace embedding
