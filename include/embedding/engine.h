// Embedder: the front door of the library. Text in, vectors out.
//
//   auto embedder = Embedder::Load({.model_directory = "models/all-MiniLM-L6-v2"});
//   if (!embedder.ok()) { ... embedder.error().message ... }
//   EmbedRequest request;
//   request.texts = {"Пример текста"};
//   auto response = (*embedder)->Embed(request);
//   response->embedding(0)   // span of response->dimension floats
//
// Thread-safety: every method may be called from any thread at any time. Requests of different
// threads are put into common batches; a text's vector does not depend on what it was batched with.
// Destroying the Embedder answers what is still queued with kUnavailable.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embedding/device.h"
#include "embedding/model_info.h"
#include "embedding/observer.h"
#include "embedding/request.h"
#include "embedding/result_store.h"
#include "embedding/status.h"

namespace embedding {

// What makes tokens of a model's texts. (text/tokenizer.h is what it does, for those who are
// inside.)
class Tokenizer;

struct EmbedderOptions {
  std::string model_directory = {};
  // What the model is called in answers; the directory's name if empty.
  std::string model_name = {};
  // What tells its JSON files, and whatever of its files is not the encoder's weights, from
  // others', for clients that ask and for a cache that is shared with other processes.
  std::string model_digest = {};
  ComputeType compute_type = ComputeType::kAuto;
  // How the tokens' vectors become a text's, in place of what the model says, if not empty: a mode
  // as ModelInfo::pooling names it. A classifier has none.
  std::string pooling = {};
  // The prompt of requests that name none; what the model itself says if empty.
  std::optional<std::string> default_prompt_name = {};
  // What computes: devices of one kind, each of which gets the model and takes batches from the one
  // queue. If there is none, they are opened by `device`.
  std::vector<std::shared_ptr<Backend>> backends = {};
  DeviceOptions device = {};
  // How long a device may compute one batch before it is taken for one that hangs, which health()
  // and devices() say; 0 never.
  std::chrono::milliseconds device_timeout = std::chrono::minutes(2);
  // A batch is cut when it reaches this many tokens; a longer text is a batch by itself. As many as
  // suit the device if empty.
  std::optional<size_t> max_batch_tokens = {};
  // Texts that may wait; a request that would exceed it fails with kOverloaded, one that has more
  // by itself with kInvalidArgument.
  size_t max_queue = 4096;
  // Told of batches and the queue; outlives the embedder.
  EngineObserver* observer = nullptr;
  // Where results are kept, of this and of other models; texts whose results are there are not
  // computed. None if there is none.
  std::shared_ptr<ResultStore> cache = nullptr;
};

class Embedder {
 public:
  // Maps and checks the model's files, packs the weights, starts a computing thread for each
  // device. Takes seconds for a large model. Errors: kModelLoad, naming the file or tensor and what
  // was expected.
  static Result<std::unique_ptr<Embedder>> Load(const EmbedderOptions& options);

  virtual ~Embedder() = default;

  // Called once, on a computing thread or, when the request is refused at once or all of its
  // results are in the cache, on the caller's. Must not throw.
  using Done = std::function<void(Result<EmbedResponse>)>;

  // Tokenises and asks the cache on the calling thread, queues the texts that are not there and
  // returns. What a request is answered does not depend on what the cache has. Errors given to
  // `done`:
  // kEmpty no texts; kInvalidArgument a text too long with truncate = false, dimensions out of
  // [1, ModelInfo::dimension], an unknown prompt or token id, texts, pairs, query and ids that do
  // not go together, more texts than the queue takes, an answer larger than its whole budget;
  // kUnsupported an output that the model
  // does not have, or pairs for which its tables have no rows; kMalformed invalid UTF-8;
  // kOverloaded queue full, or answer budget used up; kUnavailable the embedder is being destroyed,
  // or the model's files have changed under it; kInternal the computation failed, or memory ran
  // out.
  virtual void EmbedAsync(const EmbedRequest& request, Done done) = 0;

  // The same, waiting for the answer.
  Result<EmbedResponse> Embed(const EmbedRequest& request);

  // Not ok while no device works: the last batch could not be computed, nor has the device passed
  // the check that follows every second, or it does not answer; or from when the model's files were
  // changed in place. While another works, one that has failed gets no batches.
  virtual Status health() const = 0;

  // How each device is, in the order of EmbedderOptions::backends.
  virtual std::vector<DeviceState> devices() const = 0;

  // How often the computing threads have come round: after each batch, and, where one waits for
  // work, soon after this call, which wakes it. A number that stays the same is threads that all
  // hang.
  virtual uint64_t turns() = 0;

  // The prompt that a request of that prompt_name has before each of its texts, "" for none;
  // without a name the one that is taken by default. Errors: kInvalidArgument, kUnsupported.
  virtual Result<std::string> Prompt(const std::optional<std::string>& name) const = 0;

  virtual const ModelInfo& info() const = 0;
  virtual const Tokenizer& tokenizer() const = 0;
};

}  // namespace embedding
