#include "backends/cpu/linear.h"

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
  return PackPanelLinear(team, types, weights, activation);
}

}  // namespace embedding
