// Linear: output = activation(input * weight^T + bias) with the weight packed once. In is what is
// multiplied: float, BFloat16 or Int8. Sums of the first two are f32, those of integers exact; both
// are rounded to Out at the end.
//
// Thread-safety: none; a product runs on the team that it was packed for, and which must outlive
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

#include "backends/cpu/parallel.h"
#include "base/half.h"
#include "model/model_spec.h"

namespace embedding {

// A row-major, dense matrix in somebody else's memory, [rows, columns].
template <typename T>
struct MatrixView {
  T* data = nullptr;
  size_t rows = 0;
  size_t columns = 0;
};

// Numbers x as 8-bit integers q, x = (q - zero) * scale, with a scale and a zero for each row.
struct Int8 {};
struct Int8RowScale {
  float scale;
  int32_t zero;
};
struct Int8MatrixView {
  const uint8_t* words = nullptr;  // [rows] of q in words, as Int8Kernel() takes them
  size_t stride = 0;               // bytes from row to row
  const Int8RowScale* scales = nullptr;
  size_t rows = 0;
};

// A product's input; input_matrix.h makes it.
template <typename In>
using InputView =
    std::conditional_t<std::is_same_v<In, Int8>, Int8MatrixView, MatrixView<const In>>;

// A torch.nn.Linear's parameters: weight is [out_features, in_features] row-major, bias is
// [out_features] or empty.
struct LinearWeights {
  std::span<const float> weight;
  std::span<const float> bias;
  size_t in_features = 0;
  size_t out_features = 0;
};

template <typename In, typename Out>
class Linear {
 public:
  virtual ~Linear() = default;

  // input is [rows, in_features], output [rows, out_features], rows >= 1; no overlap. A row's
  // result does not depend on the other rows. `epilogue`, if it is not empty, is given the output's
  // rows, whole.
  virtual void Run(InputView<In> input, MatrixView<Out> output, const RowEpilogue& epilogue) = 0;
};

// Packs the parameters, which are not kept, for products on `team`. The activation is fused into
// the product: kIdentity, kGelu or kGeluTanh. With f16_weight, for an In of float, the weight
// alone is rounded to f16.
//
// Kernels of our own multiply (panel_product.h); bf16 where the processor has AMX, oneDNN.
template <typename In, typename Out>
std::unique_ptr<Linear<In, Out>> PackLinear(ThreadTeam& team, const LinearWeights& parameters,
                                            Activation activation, bool f16_weight = false);

extern template std::unique_ptr<Linear<float, float>> PackLinear(ThreadTeam&, const LinearWeights&,
                                                                 Activation, bool);
extern template std::unique_ptr<Linear<BFloat16, BFloat16>> PackLinear(ThreadTeam&,
                                                                       const LinearWeights&,
                                                                       Activation, bool);
extern template std::unique_ptr<Linear<BFloat16, float>> PackLinear(ThreadTeam&,
                                                                    const LinearWeights&,
                                                                    Activation, bool);
extern template std::unique_ptr<Linear<Int8, float>> PackLinear(ThreadTeam&, const LinearWeights&,
                                                                Activation, bool);
extern template std::unique_ptr<Linear<Int8, BFloat16>> PackLinear(ThreadTeam&,
                                                                   const LinearWeights&, Activation,
                                                                   bool);

}  // namespace embedding
