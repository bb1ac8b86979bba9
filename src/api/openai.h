// The dialect of OpenAI's embeddings.
#pragma once

#include "api/call.h"
#include "api/json_reader.h"

namespace embedding::api {

void OpenAiEmbeddings(const CallPtr& call, const JsonReader& json);  // POST /v1/embeddings
void OpenAiModels(const CallPtr& call);                              // GET /v1/models
void OpenAiModel(const CallPtr& call);                               // GET /v1/models/{id}

}  // namespace embedding::api
