#include "backends/cpu/linear.h"

#include <type_traits>

#include "backends/cpu/int8_linear.h"
#include "backends/cpu/onednn_linear.h"
#include "backends/cpu/panel_linear.h"

namespace embedding {

template <typename In, typename Out>
std::unique_ptr<Linear<In, Out>> PackLinear(ThreadTeam& team, const LinearWeights& parameters,
                                            Activation activation,
                                            [[maybe_unused]] bool f16_weight) {
  if constexpr (std::is_same_v<In, Int8>) {
    return PackInt8Linear<Out>(team, parameters, activation);
  } else {
    if constexpr (std::is_same_v<In, float>) {
      if (f16_weight) return PackF16PanelLinear(team, parameters, activation);
    } else {
#if defined(__x86_64__)
      if (OneDnnUsesAmx()) return PackOneDnnLinear<In, Out>(team, parameters, activation);
#endif
    }
    return PackPanelLinear<In, Out>(team, parameters, activation);
  }
}

template std::unique_ptr<Linear<float, float>> PackLinear(ThreadTeam&, const LinearWeights&,
                                                          Activation, bool);
template std::unique_ptr<Linear<BFloat16, BFloat16>> PackLinear(ThreadTeam&, const LinearWeights&,
                                                                Activation, bool);
template std::unique_ptr<Linear<BFloat16, float>> PackLinear(ThreadTeam&, const LinearWeights&,
                                                             Activation, bool);
template std::unique_ptr<Linear<Int8, float>> PackLinear(ThreadTeam&, const LinearWeights&,
                                                         Activation, bool);
template std::unique_ptr<Linear<Int8, BFloat16>> PackLinear(ThreadTeam&, const LinearWeights&,
                                                            Activation, bool);

}  // namespace embedding
