// Reranking as Cohere and Jina have it.
#pragma once

#include "api/call.h"

namespace embedding::api {

void CohereRerank(const CallPtr& call);  // POST /v1/rerank and /v2/rerank

}  // namespace embedding::api
