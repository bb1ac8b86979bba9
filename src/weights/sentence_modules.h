// modules.json: what follows the encoder in a sentence-transformers model.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "weights/model_spec.h"

namespace embedding {

// Fills `pooling`, `dense` and `normalize` of a spec whose `directory` and `encoder` are known,
// from modules.json, which must be there, and from the modules' own config.json. Errors:
// kModelLoad, naming the file, module and field.
Status ReadSentenceModules(ModelSpec& spec);

// The modes' names in 1_Pooling/config.json, joined by '+': "cls".
std::string PoolingName(const std::vector<Pooling>& pooling);

}  // namespace embedding
