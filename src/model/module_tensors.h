// The tensors of the modules that follow the pooling, each in a file of its own.
#pragma once

#include "base/result.h"
#include "model/model_spec.h"
#include "model/tensors.h"

namespace embedding {

// Adds them to `tensors`. Errors: as ReadTensors.
Status ReadModuleTensors(const ModelSpec& spec, Tensors& tensors);

}  // namespace embedding
