#include <string>
#include <string_view>
#include <utility>

#include "api/tei.h"
#include "base/json_writer.h"

namespace embedding::api {
namespace {

// {"embedding":{"pooling":...}}, {"reranker":{...}} or {"classifier":{...}}
void WriteModelType(const ModelInfo& info, JsonWriter& json) {
  json.BeginObject();
  if (!info.is_classifier()) {
    json.Key("embedding").BeginObject().Key("pooling").String(info.pooling);
  } else {
    json.Key(info.labels.size() == 1 ? "reranker" : "classifier").BeginObject();
    json.Key("id2label").BeginObject();
    for (size_t i = 0; i < info.labels.size(); ++i) {
      json.Key(std::to_string(i)).String(info.labels[i]);
    }
    json.EndObject().Key("label2id").BeginObject();
    for (size_t i = 0; i < info.labels.size(); ++i) json.Key(info.labels[i]).Integer(i);
    json.EndObject();
  }
  json.EndObject().EndObject();
}

// How much the cache may hold in memory, 0 if there is none, and whether there is one besides.
void WriteCache(const ResultStore* cache, JsonWriter& json) {
  size_t bytes = 0;
  bool redis = false;
  if (cache != nullptr) {
    for (const ResultStoreStats& stats : cache->stats()) {
      bytes += stats.limit_bytes;
      redis = redis || stats.up.has_value();
    }
  }
  json.Key("cache_bytes").Integer(bytes).Key("cache_redis").Bool(redis);
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
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("model_id").String(info.name).Key("model_sha").Null();
  json.Key("model_dtype").String(DtypeName(info.dtype));
  WriteModelType(info, json.Key("model_type"));
  json.Key("max_input_length").Integer(info.max_input_tokens);
  json.Key("max_batch_tokens").Integer(info.max_batch_tokens);
  const auto most = [&](TextLimit dialect) { return MaxTexts(call->options, dialect); };
  json.Key("max_client_batch_size").Integer(most(TextLimit::kCohere));
  json.Key("max_client_batch_sizes").BeginObject();
  json.Key("texts").Integer(most(TextLimit::kNative));
  json.Key("inputs").Integer(most(TextLimit::kCohere));
  json.Key("documents").Integer(most(TextLimit::kCohere));
  json.Key("input").Integer(most(TextLimit::kOpenAi)).EndObject();
  json.Key("max_queue").Integer(call->options.max_queue).Key("auto_truncate").Bool(true);
  WriteCache(call->options.cache, json);
  json.Key("version").String(EMBEDDING_SERVICE_VERSION).Key("models").BeginArray();
  for (const Embedder* model : *call->models) {
    const ModelInfo& each = model->info();
    json.BeginObject().Key("id").String(each.name);
    WriteModelType(each, json.Key("model_type"));
    json.Key("dimension").Integer(each.dimension).Key("sparse").Bool(each.has_sparse);
    json.Key("colbert").Bool(each.has_colbert);
    json.Key("max_input_length").Integer(each.max_input_tokens);
    json.Key("device").String(each.device).Key("replicas").Integer(each.replicas);
    json.Key("dtype").String(DtypeName(each.dtype));
    json.Key("products").String(DtypeName(each.products));
    json.Key("parameters").Integer(each.parameters).Key("prompts").BeginArray();
    for (const std::string& prompt : each.prompt_names) json.String(prompt);
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject();
  call->Answer({.body = std::move(body)});
}

void TeiMetrics(const CallPtr& call) {
  std::string body =
      call->models == nullptr ? call->metrics.Text() : call->metrics.Text(*call->models);
  call->Answer({.body = std::move(body), .content_type = "text/plain; version=0.0.4"});
}

}  // namespace embedding::api
