// Products of 8-bit integers: the weight is rounded once, each row of the input as it comes.
#pragma once

#include <memory>

#include "backends/cpu/matmul.h"

namespace embedding {

// output = activation(s_row * s_column * ((q_input - zero_row) * q_weight^T) + bias).
// The input's q lies in [0, 255]: its row's numbers (a token's activations) in 255 steps from the
// least to the largest, 0 being among them. The weight's q = round(w / s) lies in [-127, 127], s
// being the largest magnitude of its output feature divided by 127. The integer sums are exact for
// up to 65,536 input features, so a row's result depends neither on its batch nor on the processor.
// A row with a number that is not finite gives NaN.
template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackInt8MatMul(const LinearParameters& parameters,
                                                Activation activation);

extern template std::unique_ptr<MatMul<float, float>> PackInt8MatMul(const LinearParameters&,
                                                                     Activation);
extern template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackInt8MatMul(const LinearParameters&,
                                                                           Activation);
extern template std::unique_ptr<MatMul<BFloat16, float>> PackInt8MatMul(const LinearParameters&,
                                                                        Activation);

}  // namespace embedding
