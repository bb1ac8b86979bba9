// What a loaded model is told to be.
#pragma once

#include <string>

#include "backends/backend.h"
#include "embedding/model_info.h"
#include "embedding/request.h"
#include "model/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

ModelInfo DescribeModel(std::string name, const ModelSpec& spec, const TensorStore& weights,
                        const Backend& backend, const Session& session);

}  // namespace embedding
