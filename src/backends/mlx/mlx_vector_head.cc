#include "backends/mlx/mlx_vector_head.h"

#include <mlx/mlx.h>

#include <utility>

#include "backends/mlx/mlx_pooling.h"

namespace embedding {

namespace mx = mlx::core;

MlxModules::MlxModules(const std::vector<VectorModule>& modules,
                       const std::vector<ModuleTensors>& tensors) {
  for (size_t i = 0; i < modules.size(); ++i) {
    Module& module = modules_.emplace_back();
    if (const auto* const dense = std::get_if<DenseModule>(&modules[i])) {
      module.linear = LoadLinear(*tensors[i].linear, mx::float32);
      module.activation = dense->activation;
      module.adds_input = dense->residual;
      if (tensors[i].residual) module.residual = LoadLinear(*tensors[i].residual, mx::float32);
    } else if (const auto* const layer_norm = std::get_if<LayerNormModule>(&modules[i])) {
      module.norm = LoadNorm(tensors[i].norm, layer_norm->norm, mx::float32);
    }
  }
}

mx::array MlxModules::Run(mx::array x) const {
  for (const Module& module : modules_) {
    if (module.linear) {
      mx::array y = Activate(module.activation, (*module.linear)(x));
      if (module.adds_input) y = y + (module.residual ? (*module.residual)(x) : x);
      x = std::move(y);
    } else {
      x = module.norm ? (*module.norm)(x) : NormalizeLengths(x);
    }
  }
  return x;
}

mx::array NormalizeLengths(const mx::array& x) {
  const mx::array lengths = mx::sqrt(mx::sum(mx::square(x), 1, /*keepdims=*/true));
  return x / mx::maximum(lengths, mx::array(1e-12F));
}

MlxVectorHead::MlxVectorHead(const VectorHead& head)
    : head_(head),
      token_modules_(head.vector.token_modules, head.token_modules),
      modules_(head.vector.modules, head.modules) {}

mx::array MlxVectorHead::Run(const Batch& batch, const mx::array& hidden,
                             std::span<const uint32_t> begins) const {
  const std::vector<PooledRows> rows = RowsToPool(head_, batch, begins);
  const mx::array tokens = token_modules_.Run(hidden);
  std::vector<mx::array> modes;
  for (const Pooling pooling : head_.vector.pooling) {
    modes.push_back(PoolRows(pooling, tokens, rows));
  }
  return modules_.Run(mx::concatenate(std::move(modes), 1));
}

}  // namespace embedding
