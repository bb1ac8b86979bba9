#include "model/tensors.h"

#include "model/encoder_tensors.h"
#include "model/head_tensors.h"

namespace embedding {

Result<Tensors> ReadTensors(const ModelSpec& spec, const TensorStore& weights) {
  const TensorReader reader = EncoderReader(weights, *spec.family);
  Tensors tensors;
  ASSIGN_OR_RETURN(tensors.encoder,
                   ReadEncoderTensors(reader, spec.family->tensors, spec.encoder()));
  RETURN_IF_ERROR(ReadHeadTensors(spec, weights, reader, tensors));
  return tensors;
}

}  // namespace embedding
