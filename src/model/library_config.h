// config_sentence_transformers.json: what sentence-transformers keeps of a model as a whole.
#pragma once

#include <cstddef>
#include <vector>

#include "base/json_value.h"
#include "base/result.h"
#include "model/model_spec.h"

namespace embedding {

// Fills what the file says of a spec whose modules are known: prompts, similarity, dimensions. All
// of it is optional, and so is the file. Errors: kModelLoad, naming the field.
Status ReadLibraryConfig(ModelSpec& spec);

// What a vector may be cut to, the field "matryoshka_dimensions" of this file or of config.json; as
// it is without it. Errors: kModelLoad.
Status ReadMatryoshkaDimensions(const JsonValue& config, std::vector<size_t>& dimensions);

}  // namespace embedding
