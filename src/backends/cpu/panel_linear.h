// Products of floating-point numbers by the kernels of panel_product.h.
#pragma once

#include <memory>

#include "backends/cpu/linear.h"

namespace embedding {

// Whether this processor multiplies bf16 by a kernel of ours, which is when a bf16 product is
// faster than an f32 one.
bool PanelsMultiplyBf16();

// With an In of BFloat16 only where PanelsMultiplyBf16().
template <typename In, typename Out>
std::unique_ptr<Linear<In, Out>> PackPanelLinear(ThreadTeam& team, const LinearWeights& parameters,
                                                 Activation activation);

// The f32 product with the weight rounded to f16: it takes half the memory, and half the time to
// read, which is what a product of a few rows costs. The products are of f32. A weight beyond f16's
// largest number, 65,504, becomes infinite.
std::unique_ptr<Linear<float, float>> PackF16PanelLinear(ThreadTeam& team,
                                                         const LinearWeights& parameters,
                                                         Activation activation);

extern template std::unique_ptr<Linear<float, float>> PackPanelLinear(ThreadTeam&,
                                                                      const LinearWeights&,
                                                                      Activation);
extern template std::unique_ptr<Linear<BFloat16, BFloat16>> PackPanelLinear(ThreadTeam&,
                                                                            const LinearWeights&,
                                                                            Activation);
extern template std::unique_ptr<Linear<BFloat16, float>> PackPanelLinear(ThreadTeam&,
                                                                         const LinearWeights&,
                                                                         Activation);

}  // namespace embedding
