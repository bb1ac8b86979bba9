#include "backends/cpu/matmul.h"

#include <type_traits>

#include "backends/cpu/int8_matmul.h"
#include "backends/cpu/onednn_matmul.h"
#include "backends/cpu/panel_matmul.h"

namespace embedding {

template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackMatMul(ThreadTeam& team, const LinearParameters& parameters,
                                            Activation activation,
                                            [[maybe_unused]] bool f16_weight) {
  if constexpr (std::is_same_v<In, Int8>) {
    return PackInt8MatMul<Out>(team, parameters, activation);
  } else {
    if constexpr (std::is_same_v<In, float>) {
      if (f16_weight) return PackF16PanelMatMul(team, parameters, activation);
    } else {
#if defined(__x86_64__)
      if (OneDnnUsesAmx()) return PackOneDnnMatMul<In, Out>(team, parameters, activation);
#endif
    }
    return PackPanelMatMul<In, Out>(team, parameters, activation);
  }
}

template std::unique_ptr<MatMul<float, float>> PackMatMul(ThreadTeam&, const LinearParameters&,
                                                          Activation, bool);
template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackMatMul(ThreadTeam&,
                                                                const LinearParameters&, Activation,
                                                                bool);
template std::unique_ptr<MatMul<BFloat16, float>> PackMatMul(ThreadTeam&, const LinearParameters&,
                                                             Activation, bool);
template std::unique_ptr<MatMul<Int8, float>> PackMatMul(ThreadTeam&, const LinearParameters&,
                                                         Activation, bool);
template std::unique_ptr<MatMul<Int8, BFloat16>> PackMatMul(ThreadTeam&, const LinearParameters&,
                                                            Activation, bool);

}  // namespace embedding
