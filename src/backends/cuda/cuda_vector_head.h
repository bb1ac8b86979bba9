// CudaVectorHead: the vector, or the logits, of each sequence, on a GPU of NVIDIA's, in f32.
//
// Not thread-safe: CudaHeads owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backends/cuda/cuda_compute.h"
#include "backends/vector_heads.h"

namespace embedding {

// The rows [begins[s], begins[s + 1]) are those of sequence s, [rows, hidden_size].
struct CudaHiddenStates {
  CudaPointer rows = 0;
  std::span<const uint32_t> begins;

  size_t begin(size_t s) const { return begins[s]; }
  size_t size(size_t s) const { return begins[s + 1] - begins[s]; }
};

// activation(x W^T + b) into `to`, all f32.
Status RunDense(CudaCompute& compute, const CudaLinear& linear, Activation activation,
                CudaPointer x, size_t rows, CudaBuffer& to);

// Modules of sentence-transformers, one after the other.
class CudaModules {
 public:
  static Result<CudaModules> Load(CudaCompute& compute, const std::vector<VectorModule>& modules,
                                  const std::vector<ModuleTensors>& tensors, size_t dimension);

  bool empty() const { return modules_.empty(); }
  size_t dimension() const { return dimension_; }  // of what they give

  void FreeBuffers();

  // Begins to compute: of x, [rows, dimension], which is overwritten, what they make of it, valid
  // until the next call.
  Result<CudaPointer> Run(CudaPointer x, size_t rows);

 private:
  struct Module {
    CudaBuffer output;
    std::optional<CudaLinear> linear = {};  // of Dense
    std::optional<CudaLinear> residual = {};
    std::optional<CudaNorm> norm = {};  // of LayerNorm; Normalize has none of the three
    Activation activation = Activation::kIdentity;
    bool adds_input = false;
    size_t dimension = 0;  // of what it gives
  };

  explicit CudaModules(CudaCompute& compute) : compute_(&compute) {}
  Result<CudaPointer> RunDense(Module& module, CudaPointer x, size_t rows);

  CudaCompute* compute_;
  std::vector<Module> modules_;
  size_t dimension_ = 0;
};

class CudaVectorHead {
 public:
  // `compute` must outlive it. Errors: kOutOfMemory, kInternal.
  static Result<std::unique_ptr<CudaVectorHead>> Load(CudaCompute& compute, const VectorHead& head);

  const VectorHead& head() const { return head_; }
  size_t dimension() const { return modules_.dimension(); }

  void FreeBuffers();

  // Begins to compute: [sequences, dimension], valid until the next call.
  Result<CudaPointer> Run(const Batch& batch, const CudaHiddenStates& hidden);

 private:
  CudaVectorHead(CudaCompute& compute, const VectorHead& head, CudaModules token_modules,
                 CudaModules modules)
      : compute_(compute),
        head_(head),
        token_modules_(std::move(token_modules)),
        modules_(std::move(modules)),
        device_rows_(compute.DeviceBuffer()),
        tokens_(compute.DeviceBuffer()),
        pooled_(compute.DeviceBuffer()) {}

  CudaCompute& compute_;
  const VectorHead head_;
  CudaModules token_modules_;
  CudaModules modules_;

  // Of the batch that is computed.
  std::vector<PooledRows> rows_;
  CudaBuffer device_rows_;
  CudaBuffer tokens_;
  CudaBuffer pooled_;
};

}  // namespace embedding
