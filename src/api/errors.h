// Errors as HTTP answers: the one place where an ErrorCode becomes a status, and a status a body.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "http/refusal.h"

namespace embedding::api {

// The error in the shape of the dialect that the request's target belongs to, with the code's
// status and headers:
//   /v1/rerank, /v2/rerank, /v1/reranking, /reranking   Cohere and Jina: {"message", "detail"}
//   /v1/, but for those, and /embeddings    OpenAI: {"error": {"message", "type", "param", "code"}}
//   /api/                    Ollama: {"error"}
//   everything else          native and TEI: {"error", "error_type", "detail"}
// What is answered 500 is logged with the request's id, and the client gets the id instead of the
// message.
http::Response ErrorResponse(const Error& error, std::string_view target,
                             std::string_view request_id);

// The same for what HTTP alone refuses.
http::Response RefusalResponse(const http::Refusal& refusal, std::string_view target,
                               std::string_view request_id);

// The same error about a dialect's own name for the texts: the engine calls them "texts".
Error NameTexts(Error error, std::string_view field);

}  // namespace embedding::api
