// What a loaded model is told to be.
#pragma once

#include <string>

#include "engine/model_runner.h"
#include "engine/request.h"
#include "model/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

ModelInfo DescribeModel(std::string name, const ModelSpec& spec, const TensorStore& weights,
                        const ModelRunner& runner);

}  // namespace embedding
