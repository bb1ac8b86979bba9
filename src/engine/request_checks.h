// Whether a model gives what a request asks for.
#pragma once

#include "base/result.h"
#include "embedding/model_info.h"
#include "embedding/request.h"
#include "model/model_spec.h"
#include "text/tokenizer.h"

namespace embedding {

// Pure. Errors: kEmpty without texts; kInvalidArgument, naming the field, for what does not go
// together; kUnsupported for what this model lacks.
Status CheckRequest(const EmbedRequest& request, const ModelInfo& info, const ModelSpec& spec,
                    const Tokenizer& tokenizer);

}  // namespace embedding
