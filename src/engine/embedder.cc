#include "engine/embedder.h"

#include <fmt/format.h>

#include <filesystem>
#include <future>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "backends/backend.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/instruction_set.h"
#include "base/cpu.h"
#include "base/mutex.h"
#include "base/utf8.h"
#include "engine/pending_request.h"
#include "engine/scheduler.h"
#include "engine/sentence_head.h"
#include "text/strip.h"
#include "weights/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

namespace {

Error Invalid(std::string field, std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), std::move(field)};
}

class LocalEmbedder : public Embedder {
 public:
  LocalEmbedder(ModelSpec spec, ModelInfo info, std::unique_ptr<Tokenizer> tokenizer,
                TensorStore weights, std::unique_ptr<Backend> backend, SentenceHead head,
                const EmbedderOptions& options)
      : spec_(std::move(spec)),
        info_(std::move(info)),
        tokenizer_(std::move(tokenizer)),
        weights_(std::move(weights)),
        backend_(std::move(backend)),
        head_(std::move(head)),
        scheduler_({options.max_batch_tokens, options.max_queue},
                   [this](std::span<Job> batch) { RunBatch(batch); }) {}

  void EmbedAsync(const EmbedRequest& request, Done done) override;

  Status health() const override {
    const MutexLock lock(health_mutex_);
    return health_;
  }
  const ModelInfo& info() const override { return info_; }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }

 private:
  Result<std::vector<Job>> Tokenize(const EmbedRequest& request, EmbedResponse& response) const;
  void RunBatch(std::span<Job> batch);

  const ModelSpec spec_;
  const ModelInfo info_;
  const std::unique_ptr<Tokenizer> tokenizer_;
  const TensorStore weights_;  // outlives the backend, which reads from the mapped files

  // The computing thread's.
  const std::unique_ptr<Backend> backend_;
  SentenceHead head_;
  std::vector<int32_t> batch_ids_;
  std::vector<int32_t> batch_type_ids_;
  std::vector<uint32_t> batch_offsets_;

  mutable Mutex health_mutex_;
  Status health_ GUARDED_BY(health_mutex_);

  Scheduler scheduler_;  // last: its thread uses all of the above
};

Result<std::vector<Job>> LocalEmbedder::Tokenize(const EmbedRequest& request,
                                                 EmbedResponse& response) const {
  std::vector<Job> jobs(request.texts.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    const std::string& text = request.texts[i];
    if (const size_t bad = FindInvalidUtf8(text); bad != std::string::npos) {
      return Error{ErrorCode::kMalformed,
                   fmt::format("texts[{}] is not valid UTF-8 at byte {}", i, bad),
                   fmt::format("texts[{}]", i)};
    }
    Encoding encoding = tokenizer_->Encode(
        StripWhitespace(text),
        {.max_tokens = info_.max_input_tokens, .truncation_side = request.truncation_side});
    if (encoding.truncated()) {
      if (!request.truncate) {
        return Invalid(
            fmt::format("texts[{}]", i),
            fmt::format("texts[{}] has {} tokens, more than the {} that {} takes; send "
                        "shorter texts or set truncate to true",
                        i, encoding.untruncated_tokens, info_.max_input_tokens, info_.name));
      }
      ++response.truncated_texts;
    }
    response.prompt_tokens += encoding.ids.size();
    jobs[i].ids = std::move(encoding.ids);
    jobs[i].type_ids = std::move(encoding.type_ids);
    jobs[i].index = i;
  }
  return jobs;
}

void LocalEmbedder::EmbedAsync(const EmbedRequest& request, Done done) {
  if (request.texts.empty()) {
    return done(Error{ErrorCode::kEmpty, "no texts were given", "texts"});
  }
  if (request.dimensions && (*request.dimensions < 1 || *request.dimensions > info_.dimension)) {
    return done(
        Invalid("dimensions", fmt::format("dimensions is {}; {} has 1 to {}", *request.dimensions,
                                          info_.name, info_.dimension)));
  }
  EmbedResponse response;
  auto jobs = Tokenize(request, response);
  if (!jobs.ok()) return done(std::move(jobs).error());
  const auto pending =
      std::make_shared<PendingRequest>(request, info_.dimension, std::move(response), done);
  for (Job& job : *jobs) job.request = pending;
  if (Status queued = scheduler_.Submit(*std::move(jobs)); !queued.ok()) {
    done(std::move(queued).error());
  }
}

// Equal texts in a batch, of whatever requests, are computed once.
void LocalEmbedder::RunBatch(std::span<Job> batch) {
  batch_ids_.clear();
  batch_type_ids_.clear();
  batch_offsets_.assign(1, 0);
  std::unordered_map<std::string_view, size_t> sequence_of_ids;
  std::vector<size_t> sequence_of_job;
  bool has_empty_sequence = false;
  for (const Job& job : batch) {
    const std::string_view bytes(reinterpret_cast<const char*>(job.ids.data()),
                                 job.ids.size() * sizeof(job.ids[0]));
    const auto [found, is_new] = sequence_of_ids.try_emplace(bytes, sequence_of_ids.size());
    sequence_of_job.push_back(found->second);
    if (!is_new) continue;
    has_empty_sequence |= job.ids.empty();
    batch_ids_.insert(batch_ids_.end(), job.ids.begin(), job.ids.end());
    batch_type_ids_.insert(batch_type_ids_.end(), job.type_ids.begin(), job.type_ids.end());
    batch_offsets_.push_back(static_cast<uint32_t>(batch_ids_.size()));
  }
  PackedBatch packed{batch_ids_, batch_type_ids_, batch_offsets_};
  packed.first_tokens_only = head_.reads_first_tokens_only() && !has_empty_sequence;
  const auto hidden = backend_->Encode(packed);
  {
    const MutexLock lock(health_mutex_);
    health_ = hidden.ok() ? Status{} : Status(hidden.error());
  }
  if (!hidden.ok()) {
    for (Job& job : batch) job.request->Fail(hidden.error());
    return;
  }
  if (packed.first_tokens_only) std::iota(batch_offsets_.begin(), batch_offsets_.end(), 0U);
  const std::span<const float> vectors = head_.Run(*hidden, batch_offsets_);
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i].request->Finish(
        batch[i].index, vectors.subspan(sequence_of_job[i] * info_.dimension, info_.dimension));
  }
}

}  // namespace

Result<EmbedResponse> Embedder::Embed(const EmbedRequest& request) {
  std::promise<Result<EmbedResponse>> answer;
  EmbedAsync(request, [&](Result<EmbedResponse> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

Result<std::unique_ptr<Embedder>> Embedder::Load(const EmbedderOptions& options) {
  namespace fs = std::filesystem;
  ASSIGN_OR_RETURN(ModelSpec spec, ReadModelSpec(options.model_directory));
  const std::string tokenizer_path =
      (fs::path(options.model_directory) / "tokenizer.json").string();
  ASSIGN_OR_RETURN(std::unique_ptr<Tokenizer> tokenizer, Tokenizer::FromFile(tokenizer_path));
  if (tokenizer->vocab_size() > spec.encoder.vocab_size) {
    return Error{
        ErrorCode::kModelLoad,
        fmt::format("{}: the tokenizer has ids up to {}, but the model's vocab_size is {}; "
                    "the two are not of the same model",
                    tokenizer_path, tokenizer->vocab_size() - 1, spec.encoder.vocab_size),
        {}};
  }
  ASSIGN_OR_RETURN(TensorStore weights, TensorStore::OpenDirectory(options.model_directory));
  if (options.limit_to_avx2) RETURN_IF_ERROR(LimitToAvx2());
  const int threads = options.threads > 0 ? options.threads : AvailableCpus();
  ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend,
                   MakeCpuBackend(spec.encoder, weights, options.compute_type, threads));
  ASSIGN_OR_RETURN(SentenceHead head, SentenceHead::Make(spec, *backend));

  ModelInfo info;
  info.name = options.model_name.empty()
                  ? fs::weakly_canonical(options.model_directory).filename().string()
                  : options.model_name;
  info.device = backend->device();
  info.dtype = backend->dtype();
  info.dimension = spec.dimension();
  info.max_input_tokens = spec.max_seq_length;
  return std::unique_ptr<Embedder>(std::make_unique<LocalEmbedder>(
      std::move(spec), std::move(info), std::move(tokenizer), std::move(weights),
      std::move(backend), std::move(head), options));
}

}  // namespace embedding
