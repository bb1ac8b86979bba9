// config.json: what kind of encoder a model is.
#pragma once

#include <string>

#include "base/result.h"
#include "model/model_spec.h"

namespace embedding {

// Reads and checks `path`. Errors: kModelLoad, naming the file and the field.
Result<EncoderConfig> ReadEncoderConfig(const std::string& path);

}  // namespace embedding
