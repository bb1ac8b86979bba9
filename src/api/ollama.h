// Ollama's API, as far as it is about embeddings.
#pragma once

#include "api/call.h"
#include "api/json_reader.h"

namespace embedding::api {

void OllamaEmbed(const CallPtr& call, const JsonReader& json);       // POST /api/embed
void OllamaEmbeddings(const CallPtr& call, const JsonReader& json);  // its older form
void OllamaShow(const CallPtr& call, const JsonReader& json);        // POST /api/show
void OllamaPull(const CallPtr& call, const JsonReader& json);        // POST /api/pull
void OllamaTags(const CallPtr& call);                                // GET /api/tags
void OllamaRunning(const CallPtr& call);                             // GET /api/ps
void OllamaVersion(const CallPtr& call);                             // GET /api/version

}  // namespace embedding::api
