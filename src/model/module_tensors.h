// The tensors of the modules around the pooling, each in a file of its own.
#pragma once

#include "base/result.h"
#include "model/model_spec.h"
#include "model/tensor_reader.h"
#include "model/tensors.h"

namespace embedding {

// Adds them to `tensors`. `encoder` reads below the encoder's prefix, if there is one. Errors: as
// ReadTensors.
Status ReadModuleTensors(const ModelSpec& spec, const TensorReader* encoder, Tensors& tensors);

}  // namespace embedding
