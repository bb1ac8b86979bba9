#include "engine/embedder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <string_view>
#include <system_error>
#include <utility>

#include "backends/backend.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/instruction_set.h"
#include "base/cpu.h"
#include "base/mutex.h"
#include "base/utf8.h"
#include "engine/model_runner.h"
#include "engine/pending_request.h"
#include "engine/scheduler.h"
#include "engine/table_checks.h"
#include "engine/token_heads.h"
#include "text/strip.h"
#include "weights/model_spec.h"
#include "weights/sentence_modules.h"
#include "weights/tensor_store.h"

namespace embedding {

namespace {

Error Invalid(std::string field, std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), std::move(field)};
}

const char* FamilyName(ModelFamily family) {
  switch (family) {
    case ModelFamily::kBert:
      return "bert";
    case ModelFamily::kRoberta:
      return "roberta";
    case ModelFamily::kXlmRoberta:
      return "xlm-roberta";
  }
  return "";
}

// In seconds since 1970; 0 if there is no such file.
int64_t ModifiedAt(const std::filesystem::path& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 ? int64_t{status.st_mtime} : 0;
}

// Token ids of text `i` as they came, cut to what the model takes.
Result<Encoding> TakeIds(const std::vector<int32_t>& ids, size_t i, const EncodeOptions& options,
                         size_t vocab_size) {
  const std::string field = fmt::format("texts[{}]", i);
  if (ids.empty()) return Invalid(field, field + " has no token ids");
  for (const int32_t id : ids) {
    if (id < 0 || static_cast<size_t>(id) >= vocab_size) {
      return Invalid(field, fmt::format("{} has the token id {}; the model's go from 0 to {}",
                                        field, id, vocab_size - 1));
    }
  }
  const auto kept = static_cast<ptrdiff_t>(std::min(ids.size(), options.max_tokens));
  Encoding encoding;
  encoding.untruncated_tokens = ids.size();
  if (options.truncation_side == TruncationSide::kRight) {
    encoding.ids.assign(ids.begin(), ids.begin() + kept);
  } else {
    encoding.ids.assign(ids.end() - kept, ids.end());
  }
  encoding.type_ids.assign(encoding.ids.size(), 0);
  return encoding;
}

TokenizerOverrides OverridesOf(const ModelSpec& spec) {
  TokenizerOverrides overrides;
  if (const auto& bert = spec.tokenizer.bert) {
    overrides.bert = {bert->lowercase, bert->handle_chinese_chars, bert->strip_accents};
  }
  overrides.without_prefix_space = !spec.tokenizer.add_prefix_space;
  overrides.lowercase_first = spec.lower_case;
  return overrides;
}

class LocalEmbedder : public Embedder {
 public:
  LocalEmbedder(ModelSpec spec, ModelInfo info, std::unique_ptr<Tokenizer> tokenizer,
                TensorStore weights, ModelRunner runner, const EmbedderOptions& options)
      : spec_(std::move(spec)),
        info_(std::move(info)),
        tokenizer_(std::move(tokenizer)),
        weights_(std::move(weights)),
        default_prompt_name_(options.default_prompt_name ? options.default_prompt_name
                                                         : spec_.default_prompt_name),
        truncation_side_(!spec_.tokenizer.truncates_left   ? tokenizer_->truncation_side()
                         : *spec_.tokenizer.truncates_left ? TruncationSide::kLeft
                                                           : TruncationSide::kRight),
        runner_(std::move(runner)),
        scheduler_(
            {options.max_batch_tokens, options.max_queue},
            [this](std::span<Job> batch) { return RunBatch(batch); },
            [this] { return CheckDevice(); }) {}

  void EmbedAsync(const EmbedRequest& request, Done done) override;

  Status health() const override {
    RETURN_IF_ERROR(weights_.Unchanged());
    const MutexLock lock(health_mutex_);
    return health_;
  }
  const ModelInfo& info() const override { return info_; }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }

 private:
  Status Check(const EmbedRequest& request) const;
  // The text to put before each text, "" for none.
  Result<std::string> PromptOf(const EmbedRequest& request) const;
  Result<std::vector<Job>> Tokenize(const EmbedRequest& request, EmbedResponse& response) const;
  // Whether the table has a row for each id of a text; a tokenizer may have added tokens beyond it.
  Status CheckIds(const std::vector<int32_t>& ids, const std::string& field) const;
  // Takes what the answer will hold from the request's budget.
  Status Charge(const EmbedRequest& request, const std::vector<Job>& jobs,
                EmbedResponse& response) const;
  void Queue(const EmbedRequest& request, const Done& done);
  bool RunBatch(std::span<Job> batch) noexcept;
  bool CheckDevice() noexcept;
  // Whether the last thing that the device did went well, which health() tells.
  bool Note(const Status& status) noexcept;

  const ModelSpec spec_;
  const ModelInfo info_;
  const std::unique_ptr<Tokenizer> tokenizer_;
  const TensorStore weights_;  // outlives the runner, which reads from the mapped files

  const std::optional<std::string> default_prompt_name_;
  const TruncationSide truncation_side_;

  ModelRunner runner_;  // the computing thread's

  mutable Mutex health_mutex_;
  Status health_ GUARDED_BY(health_mutex_);

  Scheduler scheduler_;  // last: its thread uses all of the above
};

Status LocalEmbedder::Check(const EmbedRequest& request) const {
  if (request.size() == 0) return Error{ErrorCode::kEmpty, "no texts were given", "texts"};
  const bool has_pairs = !request.text_pairs.empty();
  if (has_pairs && request.text_pairs.size() != request.texts.size()) {
    return Invalid("text_pairs", fmt::format("text_pairs has {} texts for {} texts",
                                             request.text_pairs.size(), request.texts.size()));
  }
  if (!request.input_ids.empty() && (!request.texts.empty() || has_pairs || request.query)) {
    return Invalid("input_ids", "input_ids stand in place of texts, pairs and query");
  }
  if (request.query && has_pairs) {
    return Invalid("query", "a query stands in place of text_pairs");
  }
  const Outputs& outputs = request.outputs;
  const auto unsupported = [&](std::string_view what) {
    return Error{ErrorCode::kUnsupported, fmt::format("model {} {}", info_.name, what), ""};
  };
  if (info_.is_classifier()) {
    if (outputs.dense || outputs.lexical_weights || outputs.colbert_vecs ||
        outputs.token_embeddings) {
      return unsupported("is a classifier and has no embeddings; ask it to rerank or predict");
    }
  } else {
    if (outputs.logits) return unsupported("is no classifier");
    if (outputs.lexical_weights && !info_.has_sparse) {
      return unsupported(fmt::format("has no sparse head: its directory has no {}", kSparseFile));
    }
    if (outputs.colbert_vecs && !info_.has_colbert) {
      return unsupported(fmt::format("has no ColBERT head: its directory has no {}", kColbertFile));
    }
  }
  if (has_pairs || request.query) {
    if (const Status pairs = CheckTablesForPairs(*tokenizer_, spec_); !pairs.ok()) {
      return unsupported(fmt::format("takes no pairs: {}", pairs.error().message));
    }
  }
  if (outputs.dense && request.dimensions &&
      (*request.dimensions < 1 || *request.dimensions > info_.max_dimension)) {
    return Invalid("dimensions", fmt::format("dimensions is {}; {} has 1 to {}",
                                             *request.dimensions, info_.name, info_.max_dimension));
  }
  return {};
}

Result<std::string> LocalEmbedder::PromptOf(const EmbedRequest& request) const {
  const std::optional<std::string>& name =
      request.prompt_name ? request.prompt_name : default_prompt_name_;
  if (!name || !request.input_ids.empty()) return std::string();
  const auto found = spec_.prompts.find(*name);
  if (found == spec_.prompts.end()) {
    std::string known;
    for (const auto& [key, prompt] : spec_.prompts) known += (known.empty() ? "" : ", ") + key;
    return Invalid("prompt_name", known.empty()
                                      ? fmt::format("prompt_name: {} has no prompts", info_.name)
                                      : fmt::format("prompt_name: {} has only these prompts: {}",
                                                    info_.name, known));
  }
  if (!found->second.empty() && !spec_.pools_prompt) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("model {} leaves prompts out of its pooling, which is not supported; "
                             "send prompt_name null",
                             info_.name),
                 "prompt_name"};
  }
  return found->second;
}

Result<std::vector<Job>> LocalEmbedder::Tokenize(const EmbedRequest& request,
                                                 EmbedResponse& response) const {
  ASSIGN_OR_RETURN(const std::string prompt, PromptOf(request));
  const EncodeOptions options = {
      .max_tokens = std::min(info_.max_input_tokens, request.max_tokens.value_or(SIZE_MAX)),
      .truncation_side = request.truncation_side.value_or(truncation_side_)};
  std::vector<Job> jobs(request.size());
  const auto check = [&](const std::string& text, const std::string& field) -> Status {
    response.characters += CountCharacters(text);
    const size_t bad = FindInvalidUtf8(text);
    if (bad == std::string::npos) return {};
    return Error{ErrorCode::kMalformed, fmt::format("{} is not valid UTF-8 at byte {}", field, bad),
                 field};
  };
  std::vector<Encoding> with_query;
  if (request.query) {
    RETURN_IF_ERROR(check(*request.query, "query"));
    for (size_t i = 0; i < jobs.size(); ++i) {
      RETURN_IF_ERROR(check(request.texts[i], fmt::format("texts[{}]", i)));
    }
    with_query = tokenizer_->EncodePairs(*request.query, request.texts, options);
  }
  for (size_t i = 0; i < jobs.size(); ++i) {
    const std::string field = fmt::format("texts[{}]", i);
    Encoding encoding;
    if (!request.input_ids.empty()) {
      ASSIGN_OR_RETURN(encoding,
                       TakeIds(request.input_ids[i], i, options, spec_.encoder.vocab_size));
    } else if (request.query) {
      encoding = std::move(with_query[i]);
    } else if (!request.text_pairs.empty()) {
      RETURN_IF_ERROR(check(request.texts[i], field));
      RETURN_IF_ERROR(check(request.text_pairs[i], field));
      encoding = tokenizer_->EncodePair(request.texts[i], request.text_pairs[i], options);
    } else {
      RETURN_IF_ERROR(check(request.texts[i], field));
      encoding = prompt.empty()
                     ? tokenizer_->Encode(StripWhitespace(request.texts[i]), options)
                     : tokenizer_->Encode(StripWhitespace(prompt + request.texts[i]), options);
    }
    if (encoding.truncated()) {
      if (!request.truncate) {
        return Invalid(
            field, fmt::format("{} has {} tokens, more than the {} that {} takes; send "
                               "shorter texts or set truncate to true",
                               field, encoding.untruncated_tokens, options.max_tokens, info_.name));
      }
      ++response.truncated_texts;
    }
    if (encoding.ids.empty() && info_.is_classifier()) {
      return Invalid(field, field + " has no tokens, of which a classifier needs one");
    }
    RETURN_IF_ERROR(CheckIds(encoding.ids, field));
    response.prompt_tokens += encoding.ids.size();
    jobs[i].ids = std::move(encoding.ids);
    jobs[i].type_ids = std::move(encoding.type_ids);
    if (!spec_.tokenizer.has_token_types)
      std::fill_n(jobs[i].type_ids.begin(), jobs[i].ids.size(), 0);
    jobs[i].index = i;
  }
  return jobs;
}

Status LocalEmbedder::CheckIds(const std::vector<int32_t>& ids, const std::string& field) const {
  const size_t rows = spec_.encoder.vocab_size;
  if (tokenizer_->vocab_size() <= rows) return {};
  for (const int32_t id : ids) {
    if (static_cast<size_t>(id) < rows) continue;
    return Invalid(field,
                   fmt::format("{} has the token {}, whose id {} is beyond the {} tokens that "
                               "{} was trained with",
                               field, tokenizer_->IdToToken(id), id, rows, info_.name));
  }
  return {};
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

void LocalEmbedder::Queue(const EmbedRequest& request, const Done& done) {
  if (Status checked = Check(request); !checked.ok()) return done(std::move(checked).error());
  const auto started = std::chrono::steady_clock::now();
  EmbedResponse response;
  response.dimension = request.dimensions.value_or(info_.dimension);
  response.colbert_dimension = runner_.colbert_dimension();
  response.hidden_size = spec_.encoder.hidden_size;
  auto jobs = Tokenize(request, response);
  if (!jobs.ok()) return done(std::move(jobs).error());
  if (Status charged = Charge(request, *jobs, response); !charged.ok()) {
    return done(std::move(charged).error());
  }
  response.timings.tokenization = std::chrono::steady_clock::now() - started;
  const auto pending =
      std::make_shared<PendingRequest>(request, info_.labels.size(), std::move(response), done);
  for (Job& job : *jobs) job.request = pending;
  if (Status queued = scheduler_.Submit(*std::move(jobs)); !queued.ok()) {
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

bool LocalEmbedder::RunBatch(std::span<Job> batch) noexcept {
  Status status = runner_.Compute(batch);
  try {
    // What was read from a file that somebody writes into is nobody's vector.
    if (status.ok()) status = weights_.Unchanged();
  } catch (const std::exception&) {
    status = Error{ErrorCode::kInternal, "out of memory", {}};
  }
  // Before anybody is answered, who might ask how the engine is.
  const bool healthy = Note(status);
  for (size_t i = 0; i < batch.size(); ++i) {
    PendingRequest& request = *batch[i].request;
    status.ok() ? request.Finish(batch[i].index, runner_.outputs(i)) : request.Fail(status.error());
  }
  return healthy;
}

bool LocalEmbedder::CheckDevice() noexcept { return Note(runner_.CheckDevice()); }

bool LocalEmbedder::Note(const Status& status) noexcept {
  const MutexLock lock(health_mutex_);
  try {
    health_ = status;
  } catch (const std::exception&) {  // no memory for its message
    health_ = Error{status.error().code, {}, {}};
  }
  return status.ok();
}

}  // namespace

Result<EmbedResponse> Embedder::Embed(const EmbedRequest& request) {
  std::promise<Result<EmbedResponse>> answer;
  EmbedAsync(request, [&](Result<EmbedResponse> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

Result<std::shared_ptr<ThreadTeam>> MakeThreadTeam(int threads) {
  try {
    return std::make_shared<ThreadTeam>(
        static_cast<size_t>(threads > 0 ? threads : AvailableCpus()));
  } catch (const std::system_error& e) {
    return Error{
        ErrorCode::kInternal,
        fmt::format("cannot start the computing threads: {}; try fewer --threads, or raise "
                    "the limit of processes (ulimit -u)",
                    e.what()),
        {}};
  }
}

Result<std::unique_ptr<Embedder>> Embedder::Load(const EmbedderOptions& options) {
  namespace fs = std::filesystem;
  ASSIGN_OR_RETURN(ModelSpec spec, ReadModelSpec(options.model_directory, options.pooling));
  const std::string tokenizer_path =
      (fs::path(spec.transformer_directory) / "tokenizer.json").string();
  ASSIGN_OR_RETURN(std::unique_ptr<Tokenizer> tokenizer,
                   Tokenizer::FromFile(tokenizer_path, OverridesOf(spec)));
  RETURN_IF_ERROR(CheckTables(*tokenizer, spec));
  if (tokenizer->vocab_size() > spec.encoder.vocab_size) {
    spec.warnings.push_back(fmt::format(
        "{}: has added tokens up to id {}, but the model has only {}: a text that contains one of "
        "those beyond is refused",
        tokenizer_path, tokenizer->vocab_size() - 1, spec.encoder.vocab_size));
  }
  ASSIGN_OR_RETURN(TensorStore weights, TensorStore::OpenDirectory(spec.transformer_directory));
  if (options.default_prompt_name && !spec.is_classifier() &&
      !spec.prompts.contains(*options.default_prompt_name)) {
    return Error{ErrorCode::kModelLoad,
                 fmt::format("{}: config_sentence_transformers.json has no prompt named {}",
                             options.model_directory, *options.default_prompt_name),
                 {}};
  }
  if (options.limit_to_avx2) RETURN_IF_ERROR(LimitToAvx2());
  std::shared_ptr<ThreadTeam> team = options.team;
  if (team == nullptr) {
    ASSIGN_OR_RETURN(team, MakeThreadTeam(options.threads));
  }
  const auto load = [&]() -> Result<ModelRunner> {
    const MutexLock lock(team->mutex());  // weights are packed by it
    ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend,
                     MakeCpuBackend(spec.encoder, weights, options.compute_type, team));
    return ModelRunner::Load(spec, weights, *tokenizer, std::move(backend), team);
  };
  ASSIGN_OR_RETURN(ModelRunner runner, load());

  ModelInfo info;
  info.name = options.model_name.empty()
                  ? fs::weakly_canonical(options.model_directory).filename().string()
                  : options.model_name;
  info.device = runner.backend().device();
  info.dtype = runner.backend().dtype();
  info.max_dimension = spec.is_classifier() ? 0 : spec.dimension();
  info.dimension = std::min(info.max_dimension, spec.truncate_dim.value_or(info.max_dimension));
  info.has_sparse = runner.has_sparse();
  info.has_colbert = runner.has_colbert();
  info.labels = spec.encoder.labels;
  info.family = FamilyName(spec.encoder.family);
  for (const auto& [name, tensor] : weights.tensors()) {
    info.weight_bytes += tensor.bytes.size();
    const bool trained =
        tensor.dtype == DType::kF32 || tensor.dtype == DType::kF16 || tensor.dtype == DType::kBF16;
    if (trained) info.parameters += tensor.elements();
  }
  info.modified = ModifiedAt(fs::path(options.model_directory) / "config.json");
  info.pooling = spec.splade ? kSpladePooling : PoolingName(spec.pooling);
  info.prompts = spec.prompts;
  info.warnings = spec.warnings;
  info.max_input_tokens = spec.max_seq_length;
  return std::unique_ptr<Embedder>(
      std::make_unique<LocalEmbedder>(std::move(spec), std::move(info), std::move(tokenizer),
                                      std::move(weights), std::move(runner), options));
}

}  // namespace embedding
