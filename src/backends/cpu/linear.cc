#include "backends/cpu/linear.h"

#include <utility>

#include "backends/cpu/blas_linear.h"
#include "backends/cpu/gated_linear.h"
#include "backends/cpu/int8_linear.h"
#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/panel_linear.h"
#include "backends/cpu/sliced_linear.h"

namespace embedding {
namespace {

// By a library whose products end with an activation at most; nullptr where kernels of our own are
// to multiply.
std::unique_ptr<Linear> PackLibraryLinear([[maybe_unused]] ThreadTeam& team,
                                          [[maybe_unused]] LinearTypes types,
                                          [[maybe_unused]] const LinearWeights& weights,
                                          [[maybe_unused]] Activation activation) {
#if defined(EMBEDDING_BLAS)
  if (types.weight == DType::kF32 && !F32SlicesKernel(weights.in_features)) {
    return PackBlasLinear(team, types.output, weights, activation);
  }
#endif
  return nullptr;
}

std::unique_ptr<Linear> PackOwnLinear(ThreadTeam& team, LinearTypes types,
                                      const LinearWeights& weights, Activation activation,
                                      bool gated) {
  if (types.weight == DType::kI8) {
    return PackInt8Linear(team, types.output, weights, activation, gated);
  }
  if (types.weight == DType::kF32 && F32SlicesKernel(weights.in_features)) {
    return PackSlicedLinear(team, types.output, weights, activation, gated);
  }
  return PackPanelLinear(team, types, weights, activation, gated);
}

}  // namespace

std::unique_ptr<Linear> PackLinear(ThreadTeam& team, LinearTypes types,
                                   const LinearWeights& weights, Activation activation) {
  if (auto linear = PackLibraryLinear(team, types, weights, activation)) return linear;
  return PackOwnLinear(team, types, weights, activation, /*gated=*/false);
}

std::unique_ptr<Linear> PackGatedLinear(ThreadTeam& team, LinearTypes types,
                                        const LinearWeights& weights, Activation activation) {
  const LinearTypes both_types = {types.weight, DType::kF32};
  if (auto both = PackLibraryLinear(team, both_types, weights, Activation::kIdentity)) {
    return MakeGatedLinear(std::move(both), types.output, weights.out_features, activation);
  }
  return PackOwnLinear(team, types, weights, activation, /*gated=*/true);
}

}  // namespace embedding
