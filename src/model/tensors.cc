#include "model/tensors.h"

#include "model/encoder_tensors.h"
#include "model/head_tensors.h"
#include "model/module_tensors.h"
#include "model/sparse_static_embedding.h"
#include "model/static_embedding.h"
#include "model/task_adapters.h"

namespace embedding {

std::vector<LinearTensors*> LinearsOf(LayerTensors& layer) {
  std::vector<LinearTensors*> linears = {&layer.query, &layer.key, &layer.value,
                                         &layer.attention_output};
  for (FeedForwardTensors& feed_forward : layer.feed_forward) {
    if (feed_forward.gate) linears.push_back(&*feed_forward.gate);
    linears.push_back(&feed_forward.intermediate);
    linears.push_back(&feed_forward.output);
  }
  return linears;
}

Result<Tensors> ReadTensors(const ModelSpec& spec, const TensorStore& weights) {
  if (spec.is_static && !spec.heads().pooled && !spec.heads().scores) {
    return ReadTokenWeightTable(spec.encoder(), weights);
  }
  Tensors tensors;
  if (spec.is_static) {
    ASSIGN_OR_RETURN(tensors.encoder.word_embeddings, ReadStaticTable(spec.encoder(), weights));
    RETURN_IF_ERROR(ReadModuleTensors(spec, nullptr, tensors));
    return tensors;
  }
  const TensorReader reader = EncoderReader(weights, *spec.family, spec.encoder().adapters);
  ASSIGN_OR_RETURN(tensors.encoder,
                   ReadEncoderTensors(reader, spec.family->tensors, spec.encoder()));
  if (spec.family->has_task_adapters) {
    RETURN_IF_ERROR(ReadTaskAdapterTensors(spec.transformer_directory, spec.tasks,
                                           *spec.encoder().adapters, reader.prefix(),
                                           tensors.encoder));
  }
  RETURN_IF_ERROR(ReadHeadTensors(spec, weights, reader, tensors));
  return tensors;
}

}  // namespace embedding
