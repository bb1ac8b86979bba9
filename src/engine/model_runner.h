// ModelRunner: computes a batch of tokenised texts: one pass through the encoder, then the heads
// that somebody asked for, each over the sequences that it was asked for.
//
// Thread-safety: the computing thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "base/aligned_buffer.h"
#include "base/result.h"
#include "engine/classifier_head.h"
#include "engine/pending_request.h"
#include "engine/request.h"
#include "engine/scheduler.h"
#include "engine/sentence_head.h"
#include "engine/splade_head.h"
#include "engine/token_heads.h"
#include "model/model_spec.h"
#include "text/tokenizer.h"
#include "weights/tensor_store.h"

namespace embedding {

class ModelRunner {
 public:
  // `weights` must outlive the runner. Runners that share a team take turns. Errors: kModelLoad
  // naming file and tensor.
  static Result<ModelRunner> Load(const ModelSpec& spec, const TensorStore& weights,
                                  const Tokenizer& tokenizer, std::unique_ptr<Backend> backend,
                                  std::shared_ptr<ThreadTeam> team);

  // Computes what the jobs' requests ask for. Equal texts in a batch, of whatever requests, are
  // computed once. Errors: kInternal when the device fails, or memory runs out; the runner stays
  // usable.
  Status Compute(std::span<const Job> batch) noexcept;
  // Computes one token for nobody: whether the device works. Errors as above.
  Status CheckDevice() noexcept;
  // Of job i of the batch that was computed, valid until the next.
  const SequenceOutputs& outputs(size_t i) const { return outputs_[sequence_of_job_[i]]; }

  const Backend& backend() const { return *backend_; }
  bool has_sparse() const { return sparse_ || splade_; }
  bool has_colbert() const { return colbert_.has_value(); }
  size_t colbert_dimension() const { return colbert_ ? colbert_->dimension() : 0; }

 private:
  // Fills the fields below from the batch, and outputs_ from them.
  void Assemble(std::span<const Job> batch);
  Status Run();
  void RunSparse(std::span<const float> hidden);
  void RunColbert(std::span<const float> hidden);

  size_t tokens(size_t s) const { return offsets_[s + 1] - offsets_[s]; }
  // The hidden states of sequence s.
  std::span<const float> Rows(std::span<const float> hidden, size_t s) const;
  // The hidden states of the sequences that `wants` says, side by side; begins_[s] is the row where
  // sequence s of them begins.
  std::span<const float> Gather(std::span<const float> hidden, bool Outputs::*wants);

  std::shared_ptr<ThreadTeam> team_;
  std::unique_ptr<Backend> backend_;
  size_t hidden_size_ = 0;
  std::optional<SentenceHead> sentence_;      // either this
  std::optional<ClassifierHead> classifier_;  // or this
  size_t dimension_ = 0;                      // of the sentence head
  size_t labels_ = 0;                         // of the classifier
  std::optional<SparseHead> sparse_;
  std::optional<SpladeHead> splade_;  // in place of sparse_
  std::optional<ColbertHead> colbert_;

  // The batch that is computed.
  std::vector<int32_t> input_ids_;        // [tokens]
  std::vector<int32_t> token_type_ids_;   // [tokens]
  std::vector<uint32_t> offsets_;         // [sequences + 1]
  std::vector<Outputs> wanted_;           // [sequences]
  std::vector<size_t> sequence_of_job_;   // [jobs]
  std::vector<SequenceOutputs> outputs_;  // [sequences]
  AlignedBuffer<float> gathered_;         // [tokens of some sequences, hidden_size]
  std::vector<size_t> begins_;            // [sequences]
};

}  // namespace embedding
