#include "api/native.h"

#include <string>
#include <string_view>
#include <utility>

#include "api/errors.h"
#include "api/json_reader.h"
#include "api/json_writer.h"

namespace embedding::api {
namespace {

// Vectors that a request can ask for besides the dense one.
struct Head {
  std::string_view field;
  std::string_view name;
};
constexpr Head kHeads[] = {{"return_sparse", "sparse"}, {"return_colbert_vecs", "ColBERT"}};

Result<EmbedRequest> ParseEmbed(const Call& call) {
  JsonReader json;
  RETURN_IF_ERROR(json.Parse(call.request.body));
  EmbedRequest request;
  ASSIGN_OR_RETURN(request.texts, json.Texts("texts", call.options.max_client_batch_size));
  ASSIGN_OR_RETURN(request.normalize, json.Bool("normalize", true));
  ASSIGN_OR_RETURN(request.truncate, json.Bool("truncate", true));
  ASSIGN_OR_RETURN(request.dimensions, json.PositiveInteger("dimensions"));
  RETURN_IF_ERROR(json.RequireNull("prompt_name", "the model has no prompts, expected null"));
  ASSIGN_OR_RETURN(const bool dense, json.Bool("return_dense", true));
  bool any = dense;
  std::string_view missing_head;
  for (const Head& head : kHeads) {
    ASSIGN_OR_RETURN(const bool wanted, json.Bool(head.field, false));
    if (wanted && missing_head.empty()) missing_head = head.name;
    any = any || wanted;
  }
  if (!any) {
    return Error{ErrorCode::kInvalidArgument,
                 "return_dense: false leaves nothing to return, expected true", "return_dense"};
  }
  if (!missing_head.empty()) {
    return Error{
        ErrorCode::kUnsupported,
        "model " + call.options.model_name + " has no " + std::string(missing_head) + " head", ""};
  }
  return request;
}

Result<std::string> FormatEmbed(const EmbedResponse& response, const std::string& model_name) {
  std::string body;
  body.reserve(response.embeddings.size() * kMaxJsonFloatChars + 1024);
  body += R"({"embeddings":[)";
  const size_t rows = response.dimension == 0 ? 0 : response.embeddings.size() / response.dimension;
  for (size_t i = 0; i < rows; ++i) {
    if (i > 0) body += ',';
    if (!AppendJsonFloats(response.embedding(i), body)) {
      return Error{ErrorCode::kInternal,
                   "the vector of text " + std::to_string(i) + " is not finite", ""};
    }
  }
  body += R"(],"model":)";
  AppendJsonString(model_name, body);
  body += R"(,"dimension":)";
  AppendJsonInteger(response.dimension, body);
  body += R"(,"usage":{"prompt_tokens":)";
  AppendJsonInteger(response.prompt_tokens, body);
  body += R"(,"total_tokens":)";
  AppendJsonInteger(response.prompt_tokens, body);
  body += "}}";
  return body;
}

void AnswerEmbed(Call& call, const Result<EmbedResponse>& response) {
  if (!response.ok()) return call.Fail(response.error());
  Result<std::string> body = FormatEmbed(*response, call.options.model_name);
  if (!body.ok()) return call.Fail(body.error());
  Response answer = {.body = *std::move(body)};
  if (response->truncated_texts > 0) {
    answer.headers.push_back({"x-truncated", std::to_string(response->truncated_texts)});
  }
  call.Answer(std::move(answer));
}

}  // namespace

void NativeEmbed(const CallPtr& call) {
  Result<EmbedRequest> request = ParseEmbed(*call);
  if (!request.ok()) return call->Fail(request.error());
  request->cancelled = call->request.cancelled;
  // The answer comes on the computing thread, which has better to do than write JSON.
  call->embedder->EmbedAsync(*request, [call](Result<EmbedResponse> response) {
    Continue(call, [call, response = std::move(response)] { AnswerEmbed(*call, response); });
  });
}

void NativeHealth(const CallPtr& call) {
  const Status health = call->embedder == nullptr ? Status{} : call->embedder->health();
  if (call->embedder == nullptr || !health.ok()) {
    Response response = ErrorResponse({ErrorCode::kUnavailable, "", ""}, call->request.request_id);
    response.body = health.ok() ? R"({"status":"loading")" : R"({"status":"unhealthy","error":)";
    if (!health.ok()) AppendJsonString(health.error().message, response.body);
    response.body += R"(,"model":)";
    AppendJsonString(call->options.model_name, response.body);
    response.body += '}';
    return call->Answer(std::move(response));
  }
  const ModelInfo& info = call->embedder->info();
  std::string body = R"({"status":"healthy","model":)";
  AppendJsonString(call->options.model_name, body);
  body += R"(,"device":)";
  AppendJsonString(info.device, body);
  body += R"(,"dimension":)";
  AppendJsonInteger(info.dimension, body);
  body += '}';
  call->Answer({.body = std::move(body)});
}

void NativeLive(const CallPtr& call) { call->Answer({.body = R"({"status":"alive"})"}); }

}  // namespace embedding::api
