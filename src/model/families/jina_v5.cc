// jina-embeddings-v5-text (2026): Qwen3 ("small"), or EuroBERT ("nano", with is_decoder false), and
// an adapter for each task, in a folder of its own. A repository of one task has that adapter in
// its weights, and is a Qwen3 or a EuroBERT.
#include "model/families/llama.h"
#include "model/families/rows.h"

namespace embedding {
namespace {

Result<Encoder> ReadEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(const bool is_decoder, config.Bool("is_decoder", true));
  return (is_decoder ? kQwen3 : kEuroBert).read_encoder(config);
}

}  // namespace

constinit const Family kJinaV5 = {
    .model_types = "jina_embeddings_v5",
    .tokenizer_class = "Qwen2Tokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "model",
    .tensors = kLlamaTensors,
    .has_task_adapters = true,
};

}  // namespace embedding
