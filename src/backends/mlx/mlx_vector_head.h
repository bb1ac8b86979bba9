// MlxVectorHead: the vector, or the logits, of each sequence, on a device of MLX, in f32.
#pragma once

#include <mlx/array.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "backends/mlx/arrays.h"
#include "backends/vector_heads.h"

namespace embedding {

// Modules of sentence-transformers, one after the other.
class MlxModules {
 public:
  MlxModules(const std::vector<VectorModule>& modules, const std::vector<ModuleTensors>& tensors);

  // What they make of x, [rows, dimension].
  mlx::core::array Run(mlx::core::array x) const;

 private:
  struct Module {
    std::optional<MlxLinear> linear;  // of Dense
    std::optional<MlxLinear> residual;
    std::optional<MlxNorm> norm;  // of LayerNorm; Normalize has none of the three
    Activation activation = Activation::kIdentity;
    bool adds_input = false;
  };
  std::vector<Module> modules_;
};

// x, [rows, size], each row divided by its length.
mlx::core::array NormalizeLengths(const mlx::core::array& x);

class MlxVectorHead {
 public:
  explicit MlxVectorHead(const VectorHead& head);

  const VectorHead& head() const { return head_; }

  // Of hidden states in f32 whose rows [begins[s], begins[s + 1]) are those of sequence s:
  // [sequences, dimension]. Nothing is computed yet.
  mlx::core::array Run(const Batch& batch, const mlx::core::array& hidden,
                       std::span<const uint32_t> begins) const;

 private:
  const VectorHead head_;
  const MlxModules token_modules_;
  const MlxModules modules_;
};

}  // namespace embedding
