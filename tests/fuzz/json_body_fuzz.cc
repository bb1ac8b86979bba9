// Bodies of requests. The first line is the route's path, after which " raw" asks for bytes instead
// of JSON; the rest is the body.
#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "api/routes.h"
#include "api/service.h"
#include "fuzz/check.h"
#include "fuzz/contract_embedder.h"
#include "fuzz/json_mutator.h"
#include "test_data.h"

namespace embedding::api {
namespace {

// An embedding model and a reranker, on the thread of the caller.
class Server {
 public:
  Server() { service_.Start({&embedder_, &reranker_}); }

  Response Answer(Request request) {
    std::optional<Response> answer;
    service_.handler()(std::move(request), [&](Response response) {
      FUZZ_CHECK(!answer.has_value());
      answer = std::move(response);
    });
    FUZZ_CHECK(answer.has_value());
    return *std::move(answer);
  }

 private:
  std::unique_ptr<Tokenizer> tokenizer_ =
      *Tokenizer::FromFile(TestData("tiny-classifier/tokenizer.json"));
  ContractEmbedder embedder_{"org/embedder", *tokenizer_, {}};
  ContractEmbedder reranker_{"org/reranker", *tokenizer_, {"LABEL_0"}};
  Service service_{{.model_name = "org/embedder", .max_client_batch_size = 8},
                   [](const std::function<void()>& task) { task(); }};
};

// The method and path of the route that `path` names, or of any other where it names none.
std::pair<std::string, std::string> RouteFor(std::string_view path) {
  const auto routes = Routes();
  size_t sum = 0;
  for (const RouteRow& route : routes) {
    if (route.path == path) return {std::string(route.method), std::string(route.path)};
  }
  for (const char c : path) sum += static_cast<unsigned char>(c);
  const RouteRow& any = routes[sum % routes.size()];
  return {std::string(any.method), std::string(any.path)};
}

void CheckAnswer(const Response& answer) {
  FUZZ_CHECK(answer.status >= 200 && answer.status < 600 && answer.status != 500);
  if (answer.content_type == "application/json") FUZZ_CHECK(nlohmann::json::accept(answer.body));
  const auto is_field = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  };
  FUZZ_CHECK(is_field(answer.content_type));
  for (const Header& header : answer.headers) {
    FUZZ_CHECK(!header.name.empty() && is_field(header.name) && is_field(header.value));
  }
}

}  // namespace
}  // namespace embedding::api

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  static api::Server server;
  std::string_view body = AsString(data, size);
  std::string_view path = TakePart(body, '\n');
  const bool wants_bytes = path.ends_with(" raw");
  if (wants_bytes) path.remove_suffix(4);
  auto [method, target] = api::RouteFor(path);
  if (target == "/v1/models/") target += "org/embedder";
  api::Request request = {method, target, std::string(body), "id-1"};
  if (wants_bytes) request.accept = "application/octet-stream";
  api::CheckAnswer(server.Answer(std::move(request)));
  return 0;
}
