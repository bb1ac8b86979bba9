// ModelRunner: computes a batch of tokenised texts: one run of the model's session for the texts of
// many requests.
//
// Thread-safety: the computing thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "base/result.h"
#include "engine/scheduler.h"

namespace embedding {

class ModelRunner {
 public:
  explicit ModelRunner(std::unique_ptr<Session> session) : session_(std::move(session)) {}

  // Computes what the jobs' requests ask for. Equal texts in a batch, of whatever requests, are
  // computed once. Errors: kOutOfMemory, where fewer jobs may fit; kInternal when the device fails.
  // The runner stays usable.
  Status Compute(std::span<const Job> jobs) noexcept;
  // Computes one token for nobody: whether the device works. Errors as above.
  Status CheckDevice() noexcept;
  // Of job i of the batch that was computed, valid until the next.
  const SequenceOutputs& outputs(size_t i) const { return outputs_[sequence_of_job_[i]]; }
  // Which of the batch's different texts job i is, numbered as they first come, and what was
  // computed of it.
  size_t sequence(size_t i) const { return sequence_of_job_[i]; }
  const Outputs& wanted(size_t i) const { return wanted_[sequence_of_job_[i]]; }

  const Session& session() const { return *session_; }

 private:
  void Assemble(std::span<const Job> jobs);

  std::unique_ptr<Session> session_;

  // The batch that is computed.
  std::vector<int32_t> input_ids_;       // [tokens]
  std::vector<int32_t> token_type_ids_;  // [tokens]
  std::vector<uint32_t> offsets_;        // [sequences + 1]
  std::vector<Outputs> wanted_;          // [sequences]
  std::vector<uint32_t> first_pooled_;   // [sequences]
  std::vector<int32_t> adapters_;        // [sequences]
  std::vector<size_t> sequence_of_job_;  // [jobs]
  BatchOutputs outputs_;                 // [sequences]
};

}  // namespace embedding
