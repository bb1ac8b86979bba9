// Reranking as Cohere and Jina have it.
#pragma once

#include "api/call.h"
#include "api/json_reader.h"

namespace embedding::api {

// POST /v1/rerank and /v2/rerank, and /rerank with "documents".
void CohereRerank(const CallPtr& call, const JsonReader& json);

}  // namespace embedding::api
