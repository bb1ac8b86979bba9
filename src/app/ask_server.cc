#include "app/ask_server.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "base/json_value.h"
#include "base/json_writer.h"
#include "base/quoted.h"
#include "base/utf8.h"
#include "hub/post_json.h"

namespace embedding::app {
namespace {

constexpr int kAttempts = 10;
constexpr long kLongestPauseS = 30;

std::string BodyOf(const EmbedRequest& request) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("texts").BeginArray();
  for (const std::string& text : request.texts) json.String(text);
  json.EndArray();
  json.Key("normalize").Bool(request.normalize).Key("truncate").Bool(request.truncate);
  json.Key("return_dense").Bool(request.outputs.dense);
  json.Key("return_sparse").Bool(request.outputs.lexical_weights);
  json.Key("return_colbert_vecs").Bool(request.outputs.colbert_vecs);
  if (request.dimensions) json.Key("dimensions").Integer(*request.dimensions);
  if (request.prompt_name) json.Key("prompt_name").String(*request.prompt_name);
  json.EndObject();
  return body;
}

Status AppendFloats(const JsonValue& row, std::vector<float>& into) {
  ASSIGN_OR_RETURN(const std::vector<JsonValue> numbers, row.Elements());
  for (const JsonValue& number : numbers) {
    ASSIGN_OR_RETURN(const double value, number.AsNumber());
    into.push_back(static_cast<float>(value));
  }
  return {};
}

Result<std::vector<TokenWeight>> WeightsOf(const JsonValue& weights) {
  std::vector<TokenWeight> tokens;
  for (const auto& [id, weight] : weights.Fields()) {
    TokenWeight token{};
    const auto [end, problem] = std::from_chars(id.data(), id.data() + id.size(), token.id);
    if (problem != std::errc() || end != id.data() + id.size())
      return weights.Fail("has a field that is no token's id");
    ASSIGN_OR_RETURN(const double value, weight.AsNumber());
    token.weight = static_cast<float>(value);
    tokens.push_back(token);
  }
  return tokens;
}

// The rows of a field, which must be one a text.
Result<std::vector<JsonValue>> RowsOf(const JsonValue& answer, const char* field, size_t texts) {
  ASSIGN_OR_RETURN(const JsonValue value, answer.Field(field));
  ASSIGN_OR_RETURN(std::vector<JsonValue> rows, value.Elements());
  if (rows.size() != texts) return answer.Wrong(field, "an array of one for each text");
  return rows;
}

Result<EmbedResponse> ParseAnswer(const std::string& body, const EmbedRequest& request) {
  ASSIGN_OR_RETURN(const JsonValue answer,
                   JsonValue::Parse(body, "the server's answer", ErrorCode::kUnavailable));
  const size_t texts = request.texts.size();
  EmbedResponse response;
  if (request.outputs.dense) {
    ASSIGN_OR_RETURN(const auto rows, RowsOf(answer, "embeddings", texts));
    for (const JsonValue& row : rows) RETURN_IF_ERROR(AppendFloats(row, response.embeddings));
    response.dimension = response.embeddings.size() / texts;
  }
  if (request.outputs.lexical_weights) {
    ASSIGN_OR_RETURN(const auto rows, RowsOf(answer, "lexical_weights", texts));
    for (const JsonValue& row : rows) {
      ASSIGN_OR_RETURN(response.lexical_weights.emplace_back(), WeightsOf(row));
    }
  }
  if (request.outputs.colbert_vecs) {
    ASSIGN_OR_RETURN(const auto rows, RowsOf(answer, "colbert_vecs", texts));
    for (const JsonValue& row : rows) {
      std::vector<float>& numbers = response.colbert_vecs.emplace_back();
      ASSIGN_OR_RETURN(const std::vector<JsonValue> vectors, row.Elements());
      for (const JsonValue& vector : vectors) RETURN_IF_ERROR(AppendFloats(vector, numbers));
      if (!vectors.empty()) response.colbert_dimension = numbers.size() / vectors.size();
    }
  }
  return response;
}

Error RefusalOf(const PostAnswer& answer, const std::string& url) {
  if (answer.status == 0) return {ErrorCode::kUnavailable, url + ": " + answer.problem, ""};
  const auto json = JsonValue::Parse(answer.body, url, ErrorCode::kUnavailable);
  const Result<std::string> said = json.ok() ? json->String("error") : Error{};
  const std::string why =
      said.ok() ? Printable(*said, 500) : "HTTP " + std::to_string(answer.status);
  constexpr int kBadRequest = 400;
  constexpr int kUnprocessable = 422;
  const bool of_request = answer.status == kBadRequest || answer.status == kUnprocessable;
  return {of_request ? ErrorCode::kInvalidArgument : ErrorCode::kUnavailable,
          of_request ? why : url + ": " + why, ""};
}

Result<EmbedResponse> Ask(const std::string& url, const std::string& key,
                          const EmbedRequest& request) {
  for (const std::string& text : request.texts) {
    if (FindInvalidUtf8(text) != std::string_view::npos)
      return Error{ErrorCode::kMalformed, "the text is not valid UTF-8", ""};
  }
  const std::string body = BodyOf(request);
  for (int attempt = 1;; ++attempt) {
    const PostAnswer answer = PostJson(url, body, key);
    constexpr int kOk = 200;
    constexpr int kTooMany = 429;
    constexpr int kUnavailable = 503;
    if (answer.status == kOk) return ParseAnswer(answer.body, request);
    const bool passes = answer.status == kTooMany || answer.status == kUnavailable;
    if (!passes || attempt == kAttempts) return RefusalOf(answer, url);
    std::this_thread::sleep_for(
        std::chrono::seconds(std::clamp(answer.retry_after_s, 1L, kLongestPauseS)));
  }
}

}  // namespace

AskTexts AskServer(const std::string& url, const std::string& key, const EmbedRequest& like) {
  PreparePosts();
  std::string route = url;
  while (route.ends_with('/')) route.pop_back();
  route += "/embed";
  return [route, key, like](std::vector<std::string> texts) {
    EmbedRequest request = like;
    request.texts = std::move(texts);
    return std::async(std::launch::async, [route, key, request = std::move(request)] {
      return Ask(route, key, request);
    });
  };
}

}  // namespace embedding::app
