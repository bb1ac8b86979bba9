// What follows the pooling of a vector: the modules of model/heads.h, in f32.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "backends/cpu/heads/dense_layer.h"
#include "backends/cpu/norms.h"
#include "base/thread_team.h"
#include "model/tensors.h"

namespace embedding {

// Not thread-safe.
class VectorModules {
 public:
  // Of vectors of `dimension` numbers. Copies the tensors. The team must outlive the modules.
  VectorModules(const std::vector<VectorModule>& modules, const std::vector<ModuleTensors>& tensors,
                size_t dimension, ThreadTeam& team);

  // `rows` is [vectors, dimension] with any number of vectors, and is overwritten; the result is
  // valid until the next call, or is `rows`.
  std::span<float> Run(std::span<float> rows);

 private:
  // One of the three: a Dense has a `linear`, a LayerNorm a `norm`, a Normalize neither.
  struct Module {
    std::optional<DenseLayer> linear;
    bool adds_input = false;
    std::optional<DenseLayer> residual;  // of the input that is added
    std::optional<NormParameters> norm;
    size_t dimension = 0;  // of what comes out
  };

  static std::span<float> RunDense(Module& module, std::span<float> rows);

  std::vector<Module> modules_;
};

}  // namespace embedding
