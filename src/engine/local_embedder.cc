#include "engine/local_embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "base/result.h"
#include "engine/answer_refused.h"
#include "engine/batch_computer.h"
#include "engine/model_identity.h"
#include "engine/model_info.h"
#include "engine/pending_request.h"
#include "engine/request_checks.h"
#include "engine/request_encoder.h"
#include "engine/result_cache.h"
#include "engine/scheduler.h"
#include "engine/table_checks.h"
#include "model/model_spec.h"
#include "model/tensors.h"
#include "model/tokenizer_document.h"
#include "text/tokenizer.h"
#include "weights/tensor_store.h"

namespace embedding {

namespace {

Limits LimitsOf(const Session& session, const EmbedderOptions& options) {
  Limits limits = session.limits();
  limits.max_tokens = options.max_batch_tokens.value_or(limits.max_tokens);
  return limits;
}

// By which its results are found in the cache.
Result<Sha256::Digest> IdentityOf(const EmbedderOptions& options, std::string_view route,
                                  const TensorStore& weights, const Tensors& tensors,
                                  std::span<const std::shared_ptr<Backend>> backends,
                                  const Session& session) {
  if (!options.cache->is_shared()) return NewIdentity();
  try {
    std::vector<const TensorStore*> stores = {&weights};
    for (const TensorStore& of_head : tensors.head_files) stores.push_back(&of_head);
    return SharedIdentity({options.model_digest, options.pooling, route, stores}, backends,
                          session);
  } catch (const std::exception& e) {  // memory, or threads
    return Error{ErrorCode::kModelLoad,
                 fmt::format("reading the weights for the shared cache failed: {}", e.what()),
                 {}};
  }
}

class LocalEmbedder : public Embedder {
 public:
  // A session for each of the backends.
  LocalEmbedder(ModelSpec spec, ModelInfo info, std::unique_ptr<Tokenizer> tokenizer,
                TensorStore weights, std::span<const std::shared_ptr<Backend>> backends,
                std::vector<std::unique_ptr<Session>> sessions, std::optional<ResultCache> cache,
                const EmbedderOptions& options)
      : spec_(std::move(spec)),
        info_(std::move(info)),
        tokenizer_(std::move(tokenizer)),
        weights_(std::move(weights)),
        encoder_(spec_, info_, *tokenizer_, options.default_prompt_name),
        observer_(options.observer),
        cache_(std::move(cache)),
        computers_(MakeComputers(backends, std::move(sessions), options.device_timeout)),
        scheduler_(
            {LimitsOf(computers_.front()->session(), options), options.max_queue, options.observer},
            Devices()) {}

  void EmbedAsync(const EmbedRequest& request, Done done) override;

  Status health() const override {
    RETURN_IF_ERROR(weights_.Unchanged());
    Status first;
    for (const auto& computer : computers_) {
      Status status = computer->state().status;
      if (status.ok()) return {};
      if (first.ok()) first = std::move(status);
    }
    return first;
  }
  std::vector<DeviceState> devices() const override {
    std::vector<DeviceState> states;
    for (const auto& computer : computers_) states.push_back(computer->state());
    return states;
  }
  uint64_t turns() override { return scheduler_.Turns(); }
  Result<std::string> Prompt(const std::optional<std::string>& name) const override {
    EmbedRequest request;
    request.prompt_name = name;
    auto prompt = encoder_.PromptOf(request);
    if (!prompt.ok()) return std::move(prompt).error();
    return std::move(prompt->text);
  }
  const ModelInfo& info() const override { return info_; }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }

 private:
  using Computers = std::vector<std::unique_ptr<BatchComputer>>;

  Computers MakeComputers(std::span<const std::shared_ptr<Backend>> backends,
                          std::vector<std::unique_ptr<Session>> sessions,
                          std::chrono::milliseconds timeout) const;
  std::vector<Scheduler::Device> Devices() const;
  // Takes what the answer will hold from the request's budget.
  Status Charge(const EmbedRequest& request, const std::vector<Job>& jobs,
                EmbedResponse& response) const;
  // What the cache has of each job's text.
  std::vector<std::optional<CachedText>> Look(std::span<Job> jobs, const EmbedRequest& request,
                                              EmbedResponse& response) const;
  void Queue(const EmbedRequest& request, const Done& done);

  const ModelSpec spec_;
  const ModelInfo info_;
  const std::unique_ptr<Tokenizer> tokenizer_;
  const TensorStore weights_;  // outlives the session, which reads the mapped files

  const RequestEncoder encoder_;
  EngineObserver* const observer_;  // nullptr if there is none
  const std::optional<ResultCache> cache_;

  const Computers computers_;  // one a device

  Scheduler scheduler_;  // last: its threads use all of the above
};

LocalEmbedder::Computers LocalEmbedder::MakeComputers(
    std::span<const std::shared_ptr<Backend>> backends,
    std::vector<std::unique_ptr<Session>> sessions, std::chrono::milliseconds timeout) const {
  Computers computers;
  for (size_t i = 0; i < sessions.size(); ++i) {
    computers.push_back(std::make_unique<BatchComputer>(
        std::string(backends[i]->device()), std::move(sessions[i]), weights_, cache_, timeout));
  }
  return computers;
}

std::vector<Scheduler::Device> LocalEmbedder::Devices() const {
  std::vector<Scheduler::Device> devices;
  for (const auto& computer : computers_) {
    devices.push_back(
        {[&computer = *computer](std::span<Job> batch) { return computer.Run(batch); },
         [&computer = *computer] { return computer.CheckDevice(); }});
  }
  return devices;
}

Status LocalEmbedder::Charge(const EmbedRequest& request, const std::vector<Job>& jobs,
                             EmbedResponse& response) const {
  if (request.answer_budget == nullptr) return {};
  const Outputs& outputs = request.outputs;
  const size_t of_text =
      (outputs.dense ? response.dimension : 0) + (outputs.logits ? info_.labels.size() : 0);
  const size_t of_token = (outputs.colbert_vecs ? response.colbert_dimension : 0) +
                          (outputs.token_embeddings ? response.hidden_size : 0);
  // Lexical weights are counted when they are there: how many there will be nobody knows.
  size_t numbers = 0;
  for (const Job& job : jobs) numbers += of_text + of_token * job.ids.size();
  const size_t bytes = numbers * request.bytes_per_number;
  response.charge = ByteCharge(*request.answer_budget);
  if (response.charge.GrowTo(bytes)) return {};
  return AnswerRefused(bytes, request.answer_budget->limit());
}

std::vector<std::optional<CachedText>> LocalEmbedder::Look(std::span<Job> jobs,
                                                           const EmbedRequest& request,
                                                           EmbedResponse& response) const {
  const auto started = std::chrono::steady_clock::now();
  cache_->SetKeys(jobs);
  auto texts = cache_->Find(jobs, request.outputs);
  const auto is_there = [](const auto& text) { return text.has_value(); };
  auto cached = static_cast<size_t>(std::count_if(texts.begin(), texts.end(), is_there));
  // Computing refuses them all, and so does this.
  if (cached > 0 && !weights_.Unchanged().ok()) {
    texts.assign(jobs.size(), std::nullopt);
    cached = 0;
  }
  response.cached_texts = cached;
  response.timings.lookup = std::chrono::steady_clock::now() - started;
  return texts;
}

void LocalEmbedder::Queue(const EmbedRequest& request, const Done& done) {
  if (Status checked = CheckRequest(request, info_, spec_, *tokenizer_); !checked.ok())
    return done(std::move(checked).error());
  const auto started = std::chrono::steady_clock::now();
  EmbedResponse response;
  response.texts = request.size();
  response.dimension = request.dimensions.value_or(info_.dimension);
  response.colbert_dimension = info_.colbert_dimension;
  response.hidden_size = spec_.encoder().hidden_size;
  auto jobs = encoder_.Encode(request, response);
  if (!jobs.ok()) return done(std::move(jobs).error());
  if (Status charged = Charge(request, *jobs, response); !charged.ok()) {
    return done(std::move(charged).error());
  }
  if (Status fits = scheduler_.CheckSize(jobs->size()); !fits.ok()) {
    return done(std::move(fits).error());
  }
  response.timings.tokenization = std::chrono::steady_clock::now() - started;
  std::vector<std::optional<CachedText>> cached;
  if (cache_) cached = Look(*jobs, request, response);
  const auto pending =
      std::make_shared<PendingRequest>(request, info_.labels.size(), std::move(response), done);
  for (Job& job : *jobs) {
    job.request = pending;
    if (observer_ != nullptr) observer_->OnText(job.ids.size());
  }
  if (cache_) std::erase_if(*jobs, [&](const Job& job) { return cached[job.index].has_value(); });
  const bool all_cached = jobs->empty();
  // The last of all texts that are there answers the request: from here on nothing may throw.
  for (size_t i = 0; i < cached.size(); ++i) {
    if (cached[i]) pending->Finish(i, cached[i]->outputs());
  }
  if (all_cached) return;
  if (Status queued = scheduler_.Submit(*std::move(jobs), request.client); !queued.ok()) {
    done(std::move(queued).error());
  }
}

void LocalEmbedder::EmbedAsync(const EmbedRequest& request, Done done) {
  std::optional<Error> failure;
  try {
    Queue(request, done);
  } catch (const std::exception&) {  // before anything was queued
    failure = Error{ErrorCode::kInternal, "out of memory", {}};
  }
  if (failure) done(*std::move(failure));
}

}  // namespace

Result<std::unique_ptr<Embedder>> LoadLocalEmbedder(
    ModelSpec spec, const EmbedderOptions& options,
    std::span<const std::shared_ptr<Backend>> backends, std::string_view route) {
  namespace fs = std::filesystem;
  ASSIGN_OR_RETURN(std::unique_ptr<Tokenizer> tokenizer, LoadTokenizer(spec.tokenizer));
  RETURN_IF_ERROR(CheckTables(*tokenizer, spec));
  if (tokenizer->vocab_size() > spec.encoder().vocab_size) {
    spec.warnings.push_back(fmt::format(
        "{}: has added tokens up to id {}, but the model has only {}: a text that contains one of "
        "those beyond is refused",
        spec.tokenizer.path, tokenizer->vocab_size() - 1, spec.encoder().vocab_size));
  }
  ASSIGN_OR_RETURN(TensorStore weights, TensorStore::OpenDirectory(spec.transformer_directory));
  if (auto& head = spec.architecture.heads.token_weights; head && !spec.is_static) {
    for (const std::string_view token : {"<s>", "</s>", "<pad>", "<unk>"}) {
      if (const auto id = tokenizer->TokenToId(token)) head->unused_ids.push_back(*id);
    }
  }
  ASSIGN_OR_RETURN(const Tensors tensors, ReadTensors(spec, weights));
  std::vector<std::unique_ptr<Session>> sessions;
  for (const std::shared_ptr<Backend>& backend : backends) {
    ASSIGN_OR_RETURN(std::unique_ptr<Session> session,
                     backend->Load(spec.architecture, tensors, options.compute_type));
    if (!sessions.empty() && session->dtype() != sessions.front()->dtype()) {
      return Error{ErrorCode::kModelLoad,
                   fmt::format("the replicas would compute in {} and in {}; choose a --dtype",
                               sessions.front()->dtype(), session->dtype()),
                   {}};
    }
    sessions.push_back(std::move(session));
  }
  const Session& session = *sessions.front();

  std::optional<Sha256::Digest> identity;
  if (options.cache != nullptr) {
    ASSIGN_OR_RETURN(identity, IdentityOf(options, route, weights, tensors, backends, session));
  }
  std::string name = options.model_name.empty()
                         ? fs::weakly_canonical(options.model_directory).filename().string()
                         : options.model_name;
  ModelInfo info = DescribeModel(std::move(name), spec, weights, backends, session);
  if (const auto& head = tensors.heads.token_vectors) info.colbert_dimension = head->out_features();
  info.max_batch_tokens = LimitsOf(session, options).max_tokens;
  info.digest = options.model_digest;
  std::optional<ResultCache> cache;
  if (identity) {
    cache.emplace(options.cache, *identity,
                  ResultShape{.dimension = info.max_dimension,
                              .labels = info.labels.size(),
                              .colbert_dimension = info.colbert_dimension,
                              .vocab_size = spec.encoder().vocab_size});
  }
  return std::unique_ptr<Embedder>(std::make_unique<LocalEmbedder>(
      std::move(spec), std::move(info), std::move(tokenizer), std::move(weights), backends,
      std::move(sessions), std::move(cache), options));
}

}  // namespace embedding
