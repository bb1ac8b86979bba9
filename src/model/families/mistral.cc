// Mistral (Jiang et al. 2023): Llama whose tokens see a window of the text.
#include <vector>

#include "model/families/config_fields.h"
#include "model/families/llama.h"
#include "model/families/rows.h"

namespace embedding {
namespace {

Result<Encoder> ReadEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder,
                   ReadLlamaEncoder(config, {.kv_heads = 8, .max_tokens = 131072}));
  // Null is none; where it is not said there is one.
  const Result<JsonValue> said = config.Field("sliding_window");
  if (said.ok() && said->is_null()) return encoder;
  ASSIGN_OR_RETURN(const size_t window, ReadSize(config, "sliding_window", kMaxPositions, 4096));
  ASSIGN_OR_RETURN(std::vector<bool> windowed, ReadWindowedLayers(config, encoder.layers.size()));
  windowed.resize(encoder.layers.size(), true);
  for (size_t i = 0; i < windowed.size(); ++i) {
    if (windowed[i]) SetWindow(window, encoder.layers[i].attention);
  }
  return encoder;
}

}  // namespace

constinit const Family kMistral = {
    .model_types = "mistral",
    .tokenizer_class = "TokenizersBackend",
    .read_encoder = ReadEncoder,
    .prefixes = "model",
    .tensors = kLlamaTensors,
    .classifier = kScoreClassifier,
    .language_model = "lm_head",
};

}  // namespace embedding
