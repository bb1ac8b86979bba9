#include "backends/cpu/matmul.h"

#include <type_traits>

#include "backends/cpu/onednn_matmul.h"
#include "backends/cpu/panel_matmul.h"

namespace embedding {

template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackMatMul(const LinearParameters& parameters,
                                            Activation activation) {
  if constexpr (std::is_same_v<In, float>) {
    if (!OneDnnPacksF32()) return PackPanelMatMul(parameters, activation);
  }
  return PackOneDnnMatMul<In, Out>(parameters, activation);
}

template std::unique_ptr<MatMul<float, float>> PackMatMul(const LinearParameters&, Activation);
template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackMatMul(const LinearParameters&,
                                                                Activation);
template std::unique_ptr<MatMul<BFloat16, float>> PackMatMul(const LinearParameters&, Activation);

}  // namespace embedding
