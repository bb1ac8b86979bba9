#include "api/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <sstream>
#include <utility>

#include "api/cache_metrics.h"
#include "api/device_metrics.h"
#include "base/mutex.h"

namespace embedding::api {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

// `count` upper bounds, each `factor` times the one before.
Buckets Geometric(double first, double factor, int count) {
  Buckets buckets;
  for (double bound = first; count > 0; --count, bound *= factor) buckets.push_back(bound);
  return buckets;
}

// text-embeddings-inference's bounds, so that its dashboards show the same: from 15 us to 15 s, and
// powers of 2.
const Buckets& DurationBuckets() {
  static const Buckets buckets = Geometric(1.5e-5, 1.5, 35);
  return buckets;
}
const Buckets& TokenBuckets() {
  static const Buckets buckets = Geometric(1, 2, 21);
  return buckets;
}
const Buckets& TextBuckets() {
  static const Buckets buckets = Geometric(1, 2, 13);
  return buckets;
}

// What text-embeddings-inference calls it, where it knows it.
const char* FailureOf(int status) {
  switch (status) {
    case 401:
      return "unauthorized";
    case 408:
      return "timeout";
    case 424:
      return "model_type";
    case 429:
      return "overloaded";
    case 499:
      return "dropped";
    case 503:
      return "unhealthy";
    default:
      return status < 500 || status == 501 ? "validation" : "inference";
  }
}

class ModelMetrics final : public EngineObserver {
 public:
  ModelMetrics(Histogram& input_length, Histogram& texts, Histogram& tokens, Gauge& waiting)
      : input_length_(input_length), texts_(texts), tokens_(tokens), waiting_(waiting) {}

  void OnText(size_t tokens) noexcept override {
    input_length_.Observe(static_cast<double>(tokens));
  }
  void OnBatch(size_t texts, size_t tokens) noexcept override {
    texts_.Observe(static_cast<double>(texts));
    tokens_.Observe(static_cast<double>(tokens));
  }
  void OnQueue(size_t texts) noexcept override { waiting_.Set(static_cast<double>(texts)); }

 private:
  Histogram& input_length_;
  Histogram& texts_;
  Histogram& tokens_;
  Gauge& waiting_;
};

}  // namespace

struct Metrics::Families {
  Family<Counter>& NewCounters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& NewHistograms(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }
  // Of which there is one.
  Histogram& NewHistogram(const char* name, const char* help, const Buckets& buckets) {
    return NewHistograms(name, help).Add({}, buckets);
  }

  prometheus::Registry registry;
  Family<Counter>& count = NewCounters("te_request_count", "Requests that were answered.");
  Family<Counter>& success =
      NewCounters("te_request_success", "Requests that were answered with what they asked for.");
  Family<Counter>& failure =
      NewCounters("te_request_failure", "Requests that were answered with an error.");
  Family<Histogram>& duration =
      NewHistograms("te_request_duration", "Seconds from a request's arrival to its answer.");
  Histogram& tokenization =
      NewHistogram("te_request_tokenization_duration",
                   "Seconds that a request's texts took to be tokenised.", DurationBuckets());
  Histogram& queue =
      NewHistogram("te_request_queue_duration",
                   "Seconds until the first of a request's texts was computed.", DurationBuckets());
  Histogram& inference =
      NewHistogram("te_request_inference_duration", "Seconds from then until the last of them was.",
                   DurationBuckets());
  Histogram& input_length =
      NewHistogram("te_request_input_length", "Tokens of a text.", TokenBuckets());
  Histogram& texts =
      NewHistogram("embedding_request_texts", "Texts of a computed request.", TextBuckets());
  Histogram& tokens =
      NewHistogram("embedding_request_tokens", "Tokens of a computed request.", TokenBuckets());
  Histogram* lookup = nullptr;  // where there is a cache
  Family<Histogram>& batch_size = NewHistograms("te_batch_next_size", "Texts of a batch.");
  Family<Histogram>& batch_tokens = NewHistograms("te_batch_next_tokens", "Tokens of a batch.");
  Family<Gauge>& queue_size = prometheus::BuildGauge()
                                  .Name("te_queue_size")
                                  .Help("Texts that wait to be computed.")
                                  .Register(registry);

  Family<Counter>& key_requests =
      NewCounters("embedding_requests_total", "Requests that were answered, by key.");
  Family<Counter>& key_texts =
      NewCounters("embedding_texts_total", "Texts that were answered, by key.");
  Family<Counter>& key_tokens =
      NewCounters("embedding_tokens_total", "Tokens of the texts that were answered, by key.");
  Family<Counter>& limited = NewCounters("embedding_rate_limited_total",
                                         "Requests that a rate limit has refused, by key.");
  Counter& truncated =
      NewCounters("embedding_truncated_texts_total", "Texts that were cut.").Add({});
  Gauge& lost_lines = prometheus::BuildGauge()
                          .Name("embedding_access_log_lost_lines")
                          .Help("Lines of the access log that were not written in time.")
                          .Register(registry)
                          .Add({});

  struct OfKey {
    Counter& requests;
    Counter& texts;
    Counter& tokens;
  };
  OfKey& Of(const std::string& key) {
    const MutexLock lock(mutex);
    if (const auto known = keys.find(key); known != keys.end()) return known->second;
    const prometheus::Labels labels = {{"key", key}};
    return keys
        .emplace(key,
                 OfKey{key_requests.Add(labels), key_texts.Add(labels), key_tokens.Add(labels)})
        .first->second;
  }

  Mutex mutex;
  std::map<std::string, OfKey> keys GUARDED_BY(mutex);  // none of which goes away
  std::map<std::string, ModelMetrics> models GUARDED_BY(mutex);
};

Metrics::Metrics(const ResultStore* cache)
    : families_(std::make_unique<Families>()), cache_(cache) {
  if (cache != nullptr) {
    families_->lookup = &families_->NewHistogram(
        "embedding_cache_duration", "Seconds that a request's texts took to be looked up.",
        DurationBuckets());
  }
}
Metrics::~Metrics() = default;

void Metrics::CountAnswer(std::string_view route, const http::Response& response,
                          std::chrono::duration<double> duration) {
  const int status = response.status;
  const std::string path(route);
  const prometheus::Labels labels = {{"path", path}, {"status", std::to_string(status)}};
  families_->count.Add(labels).Increment();
  families_->duration.Add(labels, DurationBuckets()).Observe(duration.count());
  if (status < 400) {
    families_->success.Add({{"path", path}}).Increment();
  } else {
    families_->failure.Add({{"err", FailureOf(status)}, {"path", path}}).Increment();
  }
  const Families::OfKey& of_key = families_->Of(response.client.key_name);
  of_key.requests.Increment();
  of_key.texts.Increment(static_cast<double>(response.cost.texts));
  of_key.tokens.Increment(static_cast<double>(response.cost.tokens));
  families_->truncated.Increment(static_cast<double>(response.cost.truncated_texts));
}

void Metrics::CountLimited(const std::string& key, std::string_view of) {
  families_->limited.Add({{"key", key}, {"limit", std::string(of)}}).Increment();
}

void Metrics::TellLostLines(size_t lines) noexcept {
  families_->lost_lines.Set(static_cast<double>(lines));
}

void Metrics::CountComputed(const Timings& timings, size_t texts, size_t tokens) noexcept {
  const auto seconds = [](Timings::Duration duration) {
    return std::chrono::duration<double>(duration).count();
  };
  families_->tokenization.Observe(seconds(timings.tokenization));
  families_->queue.Observe(seconds(timings.queue));
  families_->inference.Observe(seconds(timings.inference));
  families_->texts.Observe(static_cast<double>(texts));
  families_->tokens.Observe(static_cast<double>(tokens));
}

void Metrics::CountLookup(const Timings& timings) noexcept {
  if (families_->lookup == nullptr) return;
  families_->lookup->Observe(std::chrono::duration<double>(timings.lookup).count());
}

EngineObserver& Metrics::ObserverOf(const std::string& model) {
  const prometheus::Labels labels = {{"model", model}};
  MutexLock lock(families_->mutex);
  return families_->models
      .try_emplace(model, families_->input_length, families_->batch_size.Add(labels, TextBuckets()),
                   families_->batch_tokens.Add(labels, TokenBuckets()),
                   families_->queue_size.Add(labels))
      .first->second;
}

std::string Metrics::Text(std::span<Embedder* const> models) const {
  std::ostringstream text;
  text.exceptions(std::ios::badbit);  // no half of it where memory runs out
  std::vector<prometheus::MetricFamily> families = families_->registry.Collect();
  if (cache_ != nullptr) AddCacheMetrics(*cache_, families);
  AddDeviceMetrics(models, families);
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

}  // namespace embedding::api
