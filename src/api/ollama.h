// The dialect of Ollama.
#pragma once

#include "api/call.h"

namespace embedding::api {

void OllamaEmbed(const CallPtr& call);       // POST /api/embed
void OllamaEmbeddings(const CallPtr& call);  // POST /api/embeddings, its older form
void OllamaTags(const CallPtr& call);        // GET /api/tags
void OllamaVersion(const CallPtr& call);     // GET /api/version

}  // namespace embedding::api
