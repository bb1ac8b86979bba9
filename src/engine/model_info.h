// What a loaded model is told to be.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "backends/backend.h"
#include "embedding/model_info.h"
#include "embedding/request.h"
#include "model/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

// `session` is that of the first of the backends.
ModelInfo DescribeModel(std::string name, const ModelSpec& spec, const TensorStore& weights,
                        std::span<const std::shared_ptr<Backend>> backends, const Session& session);

}  // namespace embedding
