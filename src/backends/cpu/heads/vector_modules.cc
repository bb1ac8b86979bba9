#include "backends/cpu/heads/vector_modules.h"

#include "base/normalize.h"

namespace embedding {

VectorModules::VectorModules(const std::vector<VectorModule>& modules,
                             const std::vector<ModuleTensors>& tensors, size_t dimension,
                             ThreadTeam& team) {
  for (size_t i = 0; i < modules.size(); ++i) {
    Module& module = modules_.emplace_back();
    if (const auto* const dense = std::get_if<DenseModule>(&modules[i])) {
      module.linear.emplace(*tensors[i].linear, dense->activation, team);
      module.adds_input = dense->residual;
      if (tensors[i].residual) {
        module.residual.emplace(*tensors[i].residual, Activation::kIdentity, team);
      }
      dimension = dense->out_features;
    } else if (const auto* const layer_norm = std::get_if<LayerNormModule>(&modules[i])) {
      module.norm.emplace(*tensors[i].norm, layer_norm->norm);
    }
    module.dimension = dimension;
  }
}

std::span<float> VectorModules::RunDense(Module& module, std::span<float> rows) {
  const std::span<float> output = module.linear->Run(rows);
  if (!module.adds_input) return output;
  const std::span<const float> added = module.residual ? module.residual->Run(rows) : rows;
  AddRow(output.size(), output.data(), added.data());
  return output;
}

std::span<float> VectorModules::Run(std::span<float> rows) {
  for (Module& module : modules_) {
    if (module.linear) {
      rows = RunDense(module, rows);
      continue;
    }
    for (size_t i = 0; i < rows.size(); i += module.dimension) {
      const std::span<float> row = rows.subspan(i, module.dimension);
      if (module.norm) {
        Normalize(*module.norm, row.data(), row.data());
      } else {
        NormalizeL2(row);
      }
    }
  }
  return rows;
}

}  // namespace embedding
