#include "backends/cpu/matmul.h"

#include <type_traits>

#include "backends/cpu/int8_matmul.h"
#include "backends/cpu/onednn_matmul.h"
#include "backends/cpu/panel_matmul.h"

namespace embedding {

template <typename In, typename Out>
std::unique_ptr<MatMul<In, Out>> PackMatMul(const LinearParameters& parameters,
                                            Activation activation, ComputeType type) {
  if (type == ComputeType::kInt8) return PackInt8MatMul<In, Out>(parameters, activation);
  if constexpr (std::is_same_v<In, float>) {
    if (type == ComputeType::kF16) return PackF16PanelMatMul(parameters, activation);
  } else {
    if (OneDnnUsesAmx()) return PackOneDnnMatMul<In, Out>(parameters, activation);
  }
  return PackPanelMatMul<In, Out>(parameters, activation);
}

template std::unique_ptr<MatMul<float, float>> PackMatMul(const LinearParameters&, Activation,
                                                          ComputeType);
template std::unique_ptr<MatMul<BFloat16, BFloat16>> PackMatMul(const LinearParameters&, Activation,
                                                                ComputeType);
template std::unique_ptr<MatMul<BFloat16, float>> PackMatMul(const LinearParameters&, Activation,
                                                             ComputeType);

}  // namespace embedding
