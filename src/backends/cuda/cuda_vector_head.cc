#include "backends/cuda/cuda_vector_head.h"

#include <utility>

#include "backends/cuda/row_counts.h"

namespace embedding {

// The kernels have these numbers: kernels/numbers.cu, kernels/heads.cu.
static_assert(static_cast<int>(Activation::kTanh) == 1 && static_cast<int>(Activation::kSilu) == 6);
static_assert(static_cast<int>(Pooling::kMean) == 1 && static_cast<int>(Pooling::kLastToken) == 5);

Status RunDense(CudaCompute& compute, const CudaLinear& linear, Activation activation,
                CudaPointer x, size_t rows, CudaBuffer& to) {
  if (rows == 0) return {};
  const size_t count = rows * linear.out_features;
  RETURN_IF_ERROR(to.Reserve(count * sizeof(float)));
  RETURN_IF_ERROR(compute.Multiply(linear, x, rows, /*added=*/0, to.address()));
  return compute.Activate(activation, to.address(), count, ComputeType::kF32);
}

Result<CudaModules> CudaModules::Load(CudaCompute& compute,
                                      const std::vector<VectorModule>& modules,
                                      const std::vector<ModuleTensors>& tensors, size_t dimension) {
  CudaModules made(compute);
  for (size_t i = 0; i < modules.size(); ++i) {
    Module module = {compute.DeviceBuffer()};
    if (const auto* const dense = std::get_if<DenseModule>(&modules[i])) {
      ASSIGN_OR_RETURN(CudaLinear linear,
                       compute.LoadLinear(*tensors[i].linear, ComputeType::kF32));
      module.linear.emplace(std::move(linear));
      module.activation = dense->activation;
      module.adds_input = dense->residual;
      if (tensors[i].residual) {
        ASSIGN_OR_RETURN(CudaLinear residual,
                         compute.LoadLinear(*tensors[i].residual, ComputeType::kF32));
        module.residual.emplace(std::move(residual));
      }
      dimension = dense->out_features;
    } else if (const auto* const layer_norm = std::get_if<LayerNormModule>(&modules[i])) {
      RETURN_IF_ERROR(
          compute.LoadNorm(tensors[i].norm, layer_norm->norm, ComputeType::kF32, module.norm));
    }
    module.dimension = dimension;
    made.modules_.push_back(std::move(module));
  }
  made.dimension_ = dimension;
  return made;
}

Result<CudaPointer> CudaModules::RunDense(Module& module, CudaPointer x, size_t rows) {
  RETURN_IF_ERROR(
      embedding::RunDense(*compute_, *module.linear, module.activation, x, rows, module.output));
  const CudaPointer y = module.output.address();
  if (module.residual) RETURN_IF_ERROR(compute_->Multiply(*module.residual, x, rows, y, y));
  if (module.adds_input && !module.residual)
    RETURN_IF_ERROR(compute_->AddF32(x, rows * module.dimension, y));
  return y;
}

void CudaModules::FreeBuffers() {
  for (Module& module : modules_) module.output.Free();
}

Result<CudaPointer> CudaModules::Run(CudaPointer x, size_t rows) {
  for (Module& module : modules_) {
    if (module.linear) {
      ASSIGN_OR_RETURN(x, RunDense(module, x, rows));
    } else if (module.norm) {
      RETURN_IF_ERROR(compute_->NormalizeF32(*module.norm, rows, module.dimension, x));
    } else {
      RETURN_IF_ERROR(compute_->NormalizeLengths(rows, module.dimension, x));
    }
  }
  return x;
}

Result<std::unique_ptr<CudaVectorHead>> CudaVectorHead::Load(CudaCompute& compute,
                                                             const VectorHead& head) {
  const PooledVector& vector = head.vector;
  const size_t hidden_size = compute.kernels().options().hidden_size;
  ASSIGN_OR_RETURN(CudaModules token_modules, CudaModules::Load(compute, vector.token_modules,
                                                                head.token_modules, hidden_size));
  ASSIGN_OR_RETURN(CudaModules modules, CudaModules::Load(compute, vector.modules, head.modules,
                                                          vector.pooled_size(hidden_size)));
  return std::unique_ptr<CudaVectorHead>(
      new CudaVectorHead(compute, head, std::move(token_modules), std::move(modules)));
}

void CudaVectorHead::FreeBuffers() {
  for (CudaBuffer* const buffer : {&device_rows_, &tokens_, &pooled_}) buffer->Free();
  token_modules_.FreeBuffers();
  modules_.FreeBuffers();
}

Result<CudaPointer> CudaVectorHead::Run(const Batch& batch, const CudaHiddenStates& hidden) {
  rows_ = RowsToPool(head_, batch, hidden.begins);
  const size_t row_bytes = rows_.size() * sizeof(PooledRows);
  RETURN_IF_ERROR(device_rows_.Reserve(row_bytes));
  RETURN_IF_ERROR(compute_.CopyToDevice(device_rows_.address(), rows_.data(), row_bytes));

  CudaPointer tokens = hidden.rows;
  Kernel pool = Kernel::kPool;
  const size_t token_rows = ProductRows(hidden.begins.back());
  if (!token_modules_.empty() && token_rows != 0) {
    const size_t count = token_rows * compute_.kernels().options().hidden_size;
    RETURN_IF_ERROR(tokens_.Reserve(count * sizeof(float)));
    RETURN_IF_ERROR(compute_.ToF32(hidden.rows, count, tokens_.address()));
    ASSIGN_OR_RETURN(tokens, token_modules_.Run(tokens_.address(), token_rows));
    pool = Kernel::kPoolF32;
  }

  constexpr size_t kColumns = 128;  // of a block
  const std::vector<Pooling>& modes = head_.vector.pooling;
  const size_t columns = token_modules_.dimension();
  const size_t padded = ProductRows(batch.sequences());
  RETURN_IF_ERROR(pooled_.Reserve(padded * modes.size() * columns * sizeof(float)));
  for (size_t i = 0; i < modes.size(); ++i) {
    RETURN_IF_ERROR(compute_.kernels().Launch(
        pool,
        {.x = batch.sequences(), .y = (columns + kColumns - 1) / kColumns, .threads = kColumns},
        compute_.stream(), static_cast<int>(modes[i]), static_cast<int>(modes.size()),
        static_cast<int>(i), tokens, static_cast<int>(columns), device_rows_.address(),
        pooled_.address()));
  }
  return modules_.Run(pooled_.address(), padded);
}

}  // namespace embedding
