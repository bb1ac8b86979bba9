#include "engine/linear_weights.h"

#include <cstdint>

namespace embedding {

Result<std::unique_ptr<LinearLayer>> LoadLinear(const TensorStore& store, const std::string& prefix,
                                                size_t in_features, size_t out_features,
                                                bool has_bias, Activation activation,
                                                Backend& backend) {
  const int64_t weight_shape[] = {static_cast<int64_t>(out_features),
                                  static_cast<int64_t>(in_features)};
  const int64_t bias_shape[] = {static_cast<int64_t>(out_features)};
  ASSIGN_OR_RETURN(const TensorView weight, store.Require(prefix + "weight", weight_shape));
  if (!has_bias) return backend.MakeLinear(weight, nullptr, activation);
  ASSIGN_OR_RETURN(const TensorView bias, store.Require(prefix + "bias", bias_shape));
  return backend.MakeLinear(weight, &bias, activation);
}

}  // namespace embedding
