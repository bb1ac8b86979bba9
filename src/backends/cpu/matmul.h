// MatMul: output = activation(input * weight^T + bias) with the weight packed once. Input and
// packed weight are of type In, f32 or bf16; sums are f32 and are rounded to Out at the end.
//
// Thread-safety: none; a product runs on the calling thread's OpenMP team.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "backends/backend.h"
#include "base/half.h"
#include "weights/model_spec.h"

namespace embedding {

// A row-major, dense matrix in somebody else's memory, [rows, columns].
template <typename T>
struct MatrixView {
  T* data = nullptr;
  size_t rows = 0;
  size_t columns = 0;
};

// A torch.nn.Linear's parameters: weight is [out_features, in_features] row-major, bias is
// [out_features] or empty.
struct LinearParameters {
  std::span<const float> weight;
  std::span<const float> bias;
  size_t in_features = 0;
  size_t out_features = 0;
};

template <typename In, typename Out>
class MatMul {
 public:
  virtual ~MatMul() = default;

  // input is [rows, in_features], output [rows, out_features], rows >= 1; no overlap. A row's
  // result does not depend on the other rows.
  virtual void Run(MatrixView<const In> input, MatrixView<Out> output) = 0;
};

// Packs the parameters, which are not kept. The activation is fused into the product: kIdentity or
// kGelu (the erf form). `type` is kInt8, the type of In, or kF16 for an In of float: the weight
// alone is rounded.
//
// Kernels of our own multiply (panel_product.h); bf16 where the processor has AMX, oneDNN.
template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackMatMul(const LinearParameters& parameters,
                                            Activation activation, ComputeType type);

extern template std::unique_ptr<MatMul<float, float>> PackMatMul(const LinearParameters&,
                                                                 Activation, ComputeType);
extern template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackMatMul(const LinearParameters&,
                                                                       Activation, ComputeType);
extern template std::unique_ptr<MatMul<BFloat16, float>> PackMatMul(const LinearParameters&,
                                                                    Activation, ComputeType);

}  // namespace embedding
