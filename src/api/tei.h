// The dialect of text-embeddings-inference.
#pragma once

#include "api/call.h"

namespace embedding::api {

void TeiTokenize(const CallPtr& call);  // POST /tokenize

}  // namespace embedding::api
