#include "backends/cuda/cuda_products.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backends/cuda/cuda_kernels.h"
#include "backends/cuda/row_counts.h"

namespace embedding {
namespace {

// What NVIDIA advises for Hopper; older GPUs need less.
constexpr size_t kWorkspaceBytes = size_t{32} << 20;

// More shapes than a service's batches have (row_counts.h).
constexpr size_t kMaxPlans = 2048;

int TypeOf(ComputeType type) {
  switch (type) {
    case ComputeType::kF16:
      return kCublasF16;
    case ComputeType::kBF16:
      return kCublasBF16;
    default:
      return kCublasF32;
  }
}

// cuBLASLt takes the device's addresses as pointers.
// NOLINTNEXTLINE(performance-no-int-to-ptr)
void* Address(CudaPointer pointer) { return reinterpret_cast<void*>(pointer); }

}  // namespace

// cuBLASLt's matrices are column-major: a row-major [rows, n] is its [n, rows]. So y^T = W x^T,
// with W read transposed as it lies.
struct CudaProducts::Plan {
  explicit Plan(const CublasLt& library) : cublas(library) {}
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() {
    for (const CublasLt::MatrixLayout layout : {w, x, y}) {
      if (layout != nullptr) cublas.MatrixLayoutDestroy(layout);
    }
    if (desc != nullptr) cublas.MatmulDescDestroy(desc);
  }

  const CublasLt& cublas;
  CublasLt::MatmulDesc desc = nullptr;
  CublasLt::MatrixLayout w = nullptr;
  CublasLt::MatrixLayout x = nullptr;
  CublasLt::MatrixLayout y = nullptr;
  CublasLt::Algorithm algorithm = {};
};

CudaProducts::CudaProducts(std::shared_ptr<const CudaDevice> device, const CublasLt& cublas)
    : device_(std::move(device)), cublas_(cublas), workspace_(device_) {}

CudaProducts::~CudaProducts() {
  if (handle_ == nullptr || !device_->MakeCurrent().ok()) return;
  plans_.clear();
  cublas_.Destroy(handle_);
}

Result<std::unique_ptr<CudaProducts>> CudaProducts::Load(std::shared_ptr<const CudaDevice> device) {
  ASSIGN_OR_RETURN(const CublasLt* const cublas, OpenCublasLt());
  std::unique_ptr<CudaProducts> products(new CudaProducts(std::move(device), *cublas));
  RETURN_IF_ERROR(products->Check(cublas->Create(&products->handle_), "starting"));
  RETURN_IF_ERROR(products->workspace_.Reserve(kWorkspaceBytes));
  return products;
}

Status CudaProducts::Check(int status, const char* what) const {
  if (status == 0) return {};
  return Error{status == kCublasAllocationFailed ? ErrorCode::kOutOfMemory : ErrorCode::kInternal,
               fmt::format("cuBLASLt: {}: {} ({})", what, cublas_.GetStatusString(status), status),
               {}};
}

Result<CudaProducts::Plan*> CudaProducts::PlanFor(const Shape& shape) {
  if (const auto found = plans_.find(shape); found != plans_.end()) return found->second.get();
  if (plans_.size() >= kMaxPlans) plans_.clear();
  const int type = TypeOf(shape.type);
  auto plan = std::make_unique<Plan>(cublas_);
  RETURN_IF_ERROR(
      Check(cublas_.MatmulDescCreate(&plan->desc, kCublasComputeF32, kCublasF32), "a product"));
  const auto set = [&](int attribute, const auto& value) {
    return Check(cublas_.MatmulDescSetAttribute(plan->desc, attribute, &value, sizeof(value)),
                 "a product's attribute");
  };
  RETURN_IF_ERROR(set(kCublasLtTransposeA, kCublasTransposed));
  if (shape.has_bias) RETURN_IF_ERROR(set(kCublasLtEpilogue, kCublasLtEpilogueBias));
  const auto layout = [&](CublasLt::MatrixLayout& made, size_t row, size_t column, size_t stride) {
    return Check(cublas_.MatrixLayoutCreate(&made, type, row, column, static_cast<int64_t>(stride)),
                 "a matrix");
  };
  RETURN_IF_ERROR(layout(plan->w, shape.in_features, shape.out_features, shape.weight_stride));
  RETURN_IF_ERROR(layout(plan->x, shape.in_features, shape.rows, shape.x_stride));
  RETURN_IF_ERROR(layout(plan->y, shape.out_features, shape.rows, shape.y_stride));

  // For rows that do not begin at multiples of 16 bytes the library's choice goes by their number,
  // and sums are added up in other orders then; one kernel serves for any number.
  if (shape.in_features * BytesOf(shape.type) % 16 != 0 && shape.rows != kMinProductRows) {
    Shape fewest = shape;
    fewest.rows = kMinProductRows;
    ASSIGN_OR_RETURN(const Plan* const of_fewest, PlanFor(fewest));
    plan->algorithm = of_fewest->algorithm;
  } else {
    ASSIGN_OR_RETURN(plan->algorithm, ChooseKernel(shape, *plan));
  }
  return plans_.emplace(shape, std::move(plan)).first->second.get();
}

Result<CublasLt::Algorithm> CudaProducts::ChooseKernel(const Shape& shape, const Plan& plan) {
  CublasLt::Preference preference = nullptr;
  RETURN_IF_ERROR(Check(cublas_.PreferenceCreate(&preference), "a preference"));
  int status = 0;
  const auto set = [&](int attribute, const auto& value) {
    if (status == 0)
      status = cublas_.PreferenceSetAttribute(preference, attribute, &value, sizeof(value));
  };
  set(kCublasLtMaxWorkspaceBytes, uint64_t{kWorkspaceBytes});
  set(kCublasLtReductionSchemes, uint32_t{0});
  if (shape.is_part()) {
    // A head's numbers begin at any multiple of their count.
    const size_t sizes = shape.in_features | shape.out_features;
    const auto bytes =
        static_cast<uint32_t>(std::min<size_t>((sizes & (~sizes + 1)) * BytesOf(shape.type), 256));
    for (const int attribute : kCublasLtMinAlignments) set(attribute, bytes);
  }
  CublasLt::Heuristic found = {};
  int count = 0;
  if (status == 0) {
    status = cublas_.MatmulAlgoGetHeuristic(handle_, plan.desc, plan.w, plan.x, plan.y, plan.y,
                                            preference, 1, &found, &count);
  }
  cublas_.PreferenceDestroy(preference);
  RETURN_IF_ERROR(Check(status, "choosing a kernel"));
  if (count == 0 || found.status != 0) {
    return Error{ErrorCode::kInternal,
                 fmt::format("cuBLASLt has no kernel for [{}, {}] times [{}, {}]", shape.rows,
                             shape.in_features, shape.in_features, shape.out_features),
                 {}};
  }
  return found.algorithm;
}

Status CudaProducts::Run(const CudaLinear& linear, CudaPointer x, size_t rows, CudaPointer added,
                         CudaPointer y, CudaStream stream) {
  const size_t in = linear.in_features;
  const size_t out = linear.out_features;
  ASSIGN_OR_RETURN(const Plan* const plan,
                   PlanFor({rows, in, out, in, in, out, linear.type, /*has_bias=*/true}));
  const CudaPointer bias = linear.bias.address();
  RETURN_IF_ERROR(
      Check(cublas_.MatmulDescSetAttribute(plan->desc, kCublasLtBiasPointer, &bias, sizeof(bias)),
            "the bias"));
  return Multiply(*plan, linear.weight.address(), x, added, y, stream);
}

Status CudaProducts::Run(const Matrix& weight, const Matrix& x, size_t rows, const Matrix& y,
                         ComputeType type, CudaStream stream) {
  ASSIGN_OR_RETURN(const Plan* const plan,
                   PlanFor({rows, x.columns, y.columns, weight.stride, x.stride, y.stride, type,
                            /*has_bias=*/false}));
  return Multiply(*plan, weight.first, x.first, /*added=*/0, y.first, stream);
}

Status CudaProducts::Multiply(const Plan& plan, CudaPointer weight, CudaPointer x,
                              CudaPointer added, CudaPointer y, CudaStream stream) {
  const float one = 1;
  const float beta = added != 0 ? 1 : 0;
  return Check(
      cublas_.Matmul(handle_, plan.desc, &one, Address(weight), plan.w, Address(x), plan.x, &beta,
                     Address(added != 0 ? added : y), plan.y, Address(y), plan.y, &plan.algorithm,
                     Address(workspace_.address()), workspace_.bytes(), stream),
      "a product");
}

}  // namespace embedding
