// The tensors of a model's heads: in the checkpoint, and in files of their own.
#pragma once

#include "base/result.h"
#include "model/model_spec.h"
#include "model/tensor_reader.h"
#include "model/tensors.h"

namespace embedding {

// Adds them to `tensors`, whose encoder is there. `encoder` reads below the encoder's prefix.
// Errors: as ReadTensors.
Status ReadHeadTensors(const ModelSpec& spec, const TensorStore& weights,
                       const TensorReader& encoder, Tensors& tensors);

}  // namespace embedding
