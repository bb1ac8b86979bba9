// Paths that several dialects share: the body says which one it is.
#pragma once

#include "api/call.h"
#include "api/json_reader.h"

namespace embedding::api {

// POST /embed: the Python service's with "texts", else text-embeddings-inference's "inputs".
void Embed(const CallPtr& call, const JsonReader& json);

// POST /rerank: text-embeddings-inference's with "texts", else "documents", as Jina, vLLM and
// others have it; errors have the shape of the same.
void Rerank(const CallPtr& call, const JsonReader& json);

// POST / and /invocations: what the first model is for. Clients that are given the server's bare
// address send everything there.
void Root(const CallPtr& call, const JsonReader& json);

// POST /vertex: {"instances":[...]}, each as Root takes it, answered {"predictions":[...]}, each as
// Root answers. An instance that fails fails all.
void Vertex(const CallPtr& call, const JsonReader& json);

}  // namespace embedding::api
