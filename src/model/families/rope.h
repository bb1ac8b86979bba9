// Rotary position embeddings as configs say them: a base, and what scales the frequencies for texts
// longer than those of pre-training.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/json_value.h"
#include "base/result.h"
#include "model/architecture.h"

namespace embedding {

struct RopeFields {
  size_t head_dim = 0;
  double default_theta = 10000;
  // Of the base, where the parameters have none.
  std::string_view theta = "rope_theta";
  // Of the share of a head's numbers that are rotated, whatever the type is. (partial_rotary_factor
  // counts with the types that scale; transformers' "default" passes over it.)
  std::string_view share = {};
  // Which of the parameters are meant where they are given by a layer's type: "full_attention".
  std::string_view layer_type = {};
  // Parameters that are not given by that type are others' alone.
  bool of_type_alone = false;
};

// Reads `rope_scaling` or else `rope_parameters`, of which the type is "default", "linear",
// "llama3" (Llama 3.1), "yarn" (Peng et al. 2023) or "ntk" (as gte's own code has it: the base
// times the factor, and the frequencies divided by factor^(2 / head_dim)). In f32, as transformers
// computes them. Errors: kModelLoad naming field and value, for every other type too: the
// frequencies of "dynamic" and "longrope" depend on the text's length.
Result<Rope> ReadRope(const JsonValue& config, const RopeFields& fields);

}  // namespace embedding
