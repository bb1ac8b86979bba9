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
  // Begins to compute. No sum is split among blocks: as long as the library's kernels for different
  // numbers of rows add up in the same order, as on the GPUs that were tried, a row's result does
  // not depend on how many others there are.
  Status Run(const CudaLinear& linear, CudaPointer x, size_t rows, CudaPointer added, CudaPointer y,
             CudaStream stream);

  // Rows of so many numbers that lie `stride` numbers apart.
  struct Matrix {
    CudaPointer first = 0;
    size_t columns = 0;
    size_t stride = 0;
  };
  // The same without a bias, y = x W^T, of matrices that are parts of others; W has y.columns rows.
  Status Run(const Matrix& weight, const Matrix& x, size_t rows, const Matrix& y, ComputeType type,
             CudaStream stream);

 private:
  struct Shape {
    size_t rows, in_features, out_features;
    size_t weight_stride, x_stride, y_stride;
    ComputeType type;
    bool has_bias;

    bool is_part() const { return x_stride != in_features || y_stride != out_features; }
    bool operator<(const Shape& other) const { return Tuple() < other.Tuple(); }

   private:
    std::tuple<size_t, size_t, size_t, size_t, size_t, size_t, ComputeType, bool> Tuple() const {
      return {rows, in_features, out_features, weight_stride, x_stride, y_stride, type, has_bias};
    }
  };
  struct Plan;

  CudaProducts(std::shared_ptr<const CudaDevice> device, const CublasLt& cublas);
  Result<Plan*> PlanFor(const Shape& shape);
  Result<CublasLt::Algorithm> ChooseKernel(const Shape& shape, const Plan& plan);
  Status Multiply(const Plan& plan, CudaPointer weight, CudaPointer x, CudaPointer added,
                  CudaPointer y, CudaStream stream);
  Status Check(int status, const char* what) const;

  const std::shared_ptr<const CudaDevice> device_;
  const CublasLt& cublas_;
  CublasLt::Handle handle_ = nullptr;
  CudaBuffer workspace_;
  std::map<Shape, std::unique_ptr<Plan>> plans_;
};

}  // namespace embedding
