// Metrics: what was answered and computed since the start, for Prometheus. Under
// text-embeddings-inference's names what is the same there, under embedding_ what is ours.
//
//   te_request_count, te_request_duration   by path and status; a path is a route or "", any other
//   te_request_success, te_request_failure  the same, by path and by path and kind of failure
//   te_request_{tokenization,queue,inference}_duration, embedding_request_{texts,tokens}
//                                           of requests that were computed
//   te_request_input_length                 of texts, in tokens
//   te_batch_next_{size,tokens}, te_queue_size   by model
//   embedding_{requests,texts,tokens}_total      by key: the name of the key that was sent, or ""
//   embedding_rate_limited_total                 by key and by the limit, "requests" or "tokens"
//   embedding_truncated_texts_total, embedding_access_log_lost_lines
//   embedding_cache_duration                of requests that asked the cache
//   embedding_cache_{hits,misses,errors,dropped_writes}
//                                           by store, "memory" or "redis"; of results, of which a
//                                           text has one for each head that is asked for
//   embedding_cache_{evictions,entries,bytes,limit_bytes}   of memory
//   embedding_cache_redis_up
//   embedding_device_{up,busy_seconds,batches_total,texts_total,tokens_total}
//                                           by model, device and replica, its number from 0
// All durations are in seconds.
//
// Thread-safety: all of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "embedding/engine.h"
#include "embedding/observer.h"
#include "embedding/request.h"
#include "embedding/result_store.h"
#include "http/message.h"

namespace embedding::api {

class Metrics {
 public:
  // `cache` may be nullptr.
  explicit Metrics(const ResultStore* cache = nullptr);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // One request for `route`, answered after `duration`. Throws std::bad_alloc.
  void CountAnswer(std::string_view route, const http::Response& response,
                   std::chrono::duration<double> duration);

  // One request with that key that the limit of `of` has refused. Throws std::bad_alloc.
  void CountLimited(const std::string& key, std::string_view of);

  // So many lines of the access log have been lost.
  void TellLostLines(size_t lines) noexcept;

  // One request of `texts` that was computed, in so many tokens.
  void CountComputed(const Timings& timings, size_t texts, size_t tokens) noexcept;
  // One request that asked the cache.
  void CountLookup(const Timings& timings) noexcept;

  // What is to be told what a model's engine does; the same for the same name. Lives as long as
  // this.
  EngineObserver& ObserverOf(const std::string& model);

  // In Prometheus's text format 0.0.4, with how the devices of the models are. Throws
  // std::bad_alloc.
  std::string Text(std::span<Embedder* const> models = {}) const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
  const ResultStore* const cache_;
};

}  // namespace embedding::api
