#include <string>
#include <string_view>
#include <utility>

#include "api/json_writer.h"
#include "api/tei.h"

namespace embedding::api {
namespace {

// {"embedding":{"pooling":...}}, {"reranker":{...}} or {"classifier":{...}}
void AppendModelType(const ModelInfo& info, std::string& body) {
  if (!info.is_classifier()) {
    body += R"({"embedding":{"pooling":)";
    AppendJsonString(info.pooling, body);
    body += "}}";
    return;
  }
  body +=
      info.labels.size() == 1 ? R"({"reranker":{"id2label":{)" : R"({"classifier":{"id2label":{)";
  std::string label2id;
  for (size_t i = 0; i < info.labels.size(); ++i) {
    if (i > 0) body += ',';
    if (i > 0) label2id += ',';
    AppendJsonString(std::to_string(i), body);
    body += ':';
    AppendJsonString(info.labels[i], body);
    AppendJsonString(info.labels[i], label2id);
    label2id += ':' + std::to_string(i);
  }
  body += R"(},"label2id":{)" + label2id + "}}}";
}

std::string_view DtypeName(std::string_view dtype) {
  if (dtype == "f32") return "float32";
  if (dtype == "bf16") return "bfloat16";
  if (dtype == "f16") return "float16";
  return dtype;
}

}  // namespace

// Of the first model, as TEI has one; "models" has them all. "max_client_batch_size" is that of
// TEI's own routes; "max_client_batch_sizes" has each by the name of the field that holds the
// texts.
void TeiInfo(const CallPtr& call) {
  const ModelInfo& info = call->models->front()->info();
  std::string body = R"({"model_id":)";
  AppendJsonString(info.name, body);
  body += R"(,"model_sha":null,"model_dtype":)";
  AppendJsonString(DtypeName(info.dtype), body);
  body += R"(,"model_type":)";
  AppendModelType(info, body);
  body += R"(,"max_input_length":)";
  AppendJsonInteger(info.max_input_tokens, body);
  body += R"(,"max_batch_tokens":)";
  AppendJsonInteger(info.max_batch_tokens, body);
  body += R"(,"max_client_batch_size":)";
  AppendJsonInteger(MaxTexts(call->options, TextLimit::kCohere), body);
  body += R"(,"max_client_batch_sizes":{"texts":)";
  AppendJsonInteger(MaxTexts(call->options, TextLimit::kNative), body);
  body += R"(,"inputs":)";
  AppendJsonInteger(MaxTexts(call->options, TextLimit::kCohere), body);
  body += R"(,"documents":)";
  AppendJsonInteger(MaxTexts(call->options, TextLimit::kCohere), body);
  body += R"(,"input":)";
  AppendJsonInteger(MaxTexts(call->options, TextLimit::kOpenAi), body);
  body += R"(},"max_queue":)";
  AppendJsonInteger(call->options.max_queue, body);
  body += R"(,"auto_truncate":true,"version":)";
  AppendJsonString(EMBEDDING_SERVICE_VERSION, body);
  body += R"(,"models":[)";
  for (const Embedder* model : *call->models) {
    if (body.back() != '[') body += ',';
    const ModelInfo& each = model->info();
    body += R"({"id":)";
    AppendJsonString(each.name, body);
    body += R"(,"model_type":)";
    AppendModelType(each, body);
    body += R"(,"dimension":)";
    AppendJsonInteger(each.dimension, body);
    body += each.has_sparse ? R"(,"sparse":true)" : R"(,"sparse":false)";
    body += each.has_colbert ? R"(,"colbert":true)" : R"(,"colbert":false)";
    body += R"(,"max_input_length":)";
    AppendJsonInteger(each.max_input_tokens, body);
    body += '}';
  }
  body += "]}";
  call->Answer({.body = std::move(body)});
}

void TeiMetrics(const CallPtr& call) {
  call->Answer({.body = call->metrics.Text(), .content_type = "text/plain; version=0.0.4"});
}

}  // namespace embedding::api
