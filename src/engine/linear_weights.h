// A torch.nn.Linear of a file, made ready to apply by the backend.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "backends/backend.h"
#include "base/result.h"
#include "weights/tensor_store.h"

namespace embedding {

// Reads `<prefix>weight`, [out_features, in_features], and, with has_bias, `<prefix>bias`.
// Errors: kModelLoad naming the tensor and what was expected.
Result<std::unique_ptr<LinearLayer>> LoadLinear(const TensorStore& store, const std::string& prefix,
                                                size_t in_features, size_t out_features,
                                                bool has_bias, Activation activation,
                                                Backend& backend);

}  // namespace embedding
