#include "api/shared_routes.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/cache_header.h"
#include "api/cohere.h"
#include "api/native.h"
#include "api/tei.h"
#include "base/json_writer.h"
#include "base/mutex.h"

namespace embedding::api {
namespace {

// Of parts that are computed beside one another: the longest is what the whole waits for.
void Add(const http::Cost& part, http::Cost& whole) {
  whole.texts += part.texts;
  whole.cached_texts += part.cached_texts;
  whole.truncated_texts += part.truncated_texts;
  whole.tokens += part.tokens;
  whole.tokenization += part.tokenization;
  whole.queue = std::max(whole.queue, part.queue);
  whole.inference = std::max(whole.inference, part.inference);
}

// The answers to a call's instances, which come from any thread.
class Predictions {
 public:
  Predictions(CallPtr call, size_t count)
      : call_(std::move(call)), answers_(count), missing_(count) {}

  // The last one answers the call.
  void Take(size_t i, Response answer) {
    {
      const MutexLock lock(mutex_);
      answers_[i] = std::move(answer);
      if (--missing_ > 0) return;
    }
    Join();
  }

 private:
  void Join() {
    Response joined{.charge = ByteCharge(call_->answers)};
    JsonWriter json(joined.body);
    json.BeginObject().Key("predictions").BeginArray();
    const MutexLock lock(mutex_);
    std::optional<CacheHits> cached;
    for (Response& answer : answers_) {
      if (answer.status != 200) return call_->Answer(std::move(answer));
      Add(answer.cost, joined.cost);
      for (const Header& header : answer.headers) {
        if (header.name == kCacheHeader) AddCacheHits(header.value, cached);
      }
      json.Json(answer.body);
      answer = {};  // what it was charged for goes over to the joined one
      if (const Status charged = call_->Charge(joined.body, joined.charge); !charged.ok()) {
        return call_->Fail(charged.error());
      }
    }
    json.EndArray().EndObject();
    if (joined.cost.truncated_texts > 0) {
      joined.headers.push_back({"x-truncated", std::to_string(joined.cost.truncated_texts)});
    }
    if (cached) joined.headers.push_back({kCacheHeader, WriteCacheHits(*cached)});
    call_->Answer(std::move(joined));
  }

  const CallPtr call_;
  Mutex mutex_;
  std::vector<Response> answers_ GUARDED_BY(mutex_);
  size_t missing_ GUARDED_BY(mutex_);
};

constexpr UnsupportedField kVertexUnsupported[] = {
    {"parameters", "{}", "put what is in it into each instance, beside its inputs"},
    {"model", "", "each instance names its own, beside its inputs"},
};

// A reader of each instance.
Result<std::vector<JsonReader>> Instances(const Call& call, const JsonReader& json) {
  const size_t most = MaxTexts(call.options, TextLimit::kCohere);
  RETURN_IF_ERROR(json.RefuseAllOf(kVertexUnsupported));
  ASSIGN_OR_RETURN(std::vector<JsonReader> instances, json.Objects("instances", most));
  size_t texts = 0;
  for (const JsonReader& instance : instances) {
    for (const char* field : {"inputs", "texts", "documents"}) texts += instance.Count(field);
  }
  if (texts <= most) return instances;
  return Error{ErrorCode::kInvalidArgument,
               "batch size " + std::to_string(texts) + " > maximum allowed batch size " +
                   std::to_string(most) + ", of all instances together",
               "instances"};
}

}  // namespace

namespace {

// Of two names for the same thing only one is read. Gives whether the call has been refused.
bool HasBoth(const CallPtr& call, const JsonReader& json, const char* one, const char* other) {
  if (!json.Has(one) || !json.Has(other)) return false;
  call->Fail({ErrorCode::kInvalidArgument,
              std::string(one) + ": stands beside " + other + "; send one of the two", one});
  return true;
}

}  // namespace

void Embed(const CallPtr& call, const JsonReader& json) {
  if (HasBoth(call, json, "inputs", "texts")) return;
  if (json.Has("inputs")) return TeiEmbed(call, json);
  NativeEmbed(call, json);
}

void Rerank(const CallPtr& call, const JsonReader& json) {
  if (HasBoth(call, json, "documents", "texts")) return;
  if (!json.Has("documents")) return TeiRerank(call, json);
  // Whose errors have another shape, but for an instance among others.
  if (call->request.target.starts_with("/rerank")) call->request.target = "/v1/rerank";
  CohereRerank(call, json);
}

void Root(const CallPtr& call, const JsonReader& json) {
  const Result<std::optional<std::string>> name = json.String("model");
  if (!name.ok()) return call->Fail(name.error());
  const Embedder* named = *name ? call->Named(**name) : nullptr;
  if (json.Has("query")) return Rerank(call, json);
  const ModelInfo& info = (named == nullptr ? call->models->front() : named)->info();
  if (info.pooling == "splade" && !json.Has("texts")) return TeiEmbedSparse(call, json);
  if (!info.is_classifier()) return Embed(call, json);
  if (info.labels.size() == 1) return Rerank(call, json);
  TeiPredict(call, json);
}

void Vertex(const CallPtr& call, const JsonReader& json) {
  const Result<std::vector<JsonReader>> instances = Instances(*call, json);
  if (!instances.ok()) return call->Fail(instances.error());
  const auto predictions = std::make_shared<Predictions>(call, instances->size());
  for (size_t i = 0; i < instances->size(); ++i) {
    const Request& whole = call->request;
    Request part{whole.method, whole.target, "", whole.request_id, whole.cancelled};
    part.client = whole.client;
    const auto instance = std::make_shared<Call>(
        Call{call->options, call->post, call->models, call->loading, call->metrics, call->answers,
             call->reading, call->received, std::move(part),
             [predictions, i](Response answer) { predictions->Take(i, std::move(answer)); },
             "instances[" + std::to_string(i) + ']'});
    Root(instance, (*instances)[i]);
  }
}

}  // namespace embedding::api
