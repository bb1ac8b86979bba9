#include "backends/cpu/linear.h"

#include "backends/cpu/blas_linear.h"
#include "backends/cpu/int8_linear.h"
#include "backends/cpu/onednn_linear.h"
#include "backends/cpu/panel_linear.h"

namespace embedding {

std::unique_ptr<Linear> PackLinear(ThreadTeam& team, LinearTypes types,
                                   const LinearWeights& weights, Activation activation) {
  if (types.weight == DType::kI8) return PackInt8Linear(team, types.output, weights, activation);
#if defined(EMBEDDING_ONEDNN)
  if (types.weight == DType::kBF16 && OneDnnUsesAmx()) {
    return PackOneDnnLinear(team, types.output, weights, activation);
  }
#endif
#if defined(EMBEDDING_BLAS)
  if (types.weight == DType::kF32) {
    if (auto linear = PackBlasLinear(team, types.output, weights, activation)) return linear;
  }
#endif
  return PackPanelLinear(team, types, weights, activation);
}

}  // namespace embedding
