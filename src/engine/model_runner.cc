#include "engine/model_runner.h"

#include <exception>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

namespace embedding {
namespace {

std::string_view Bytes(const std::vector<int32_t>& ids) {
  return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(ids[0])};
}

void Unite(const Outputs& more, Outputs& outputs) {
  outputs.dense |= more.dense;
  outputs.lexical_weights |= more.lexical_weights;
  outputs.colbert_vecs |= more.colbert_vecs;
  outputs.token_embeddings |= more.token_embeddings;
  outputs.logits |= more.logits;
}

}  // namespace

void ModelRunner::Assemble(std::span<const Job> jobs) {
  input_ids_.clear();
  token_type_ids_.clear();
  offsets_.assign(1, 0);
  wanted_.clear();
  sequence_of_job_.clear();
  first_pooled_.clear();
  adapters_.clear();
  std::map<std::tuple<std::string_view, std::string_view, uint32_t, int32_t>, size_t>
      sequence_of_ids;
  for (const Job& job : jobs) {
    job.request->Begin();
    const auto [found, is_new] = sequence_of_ids.try_emplace(
        {Bytes(job.ids), Bytes(job.type_ids), job.first_pooled, job.adapter},
        sequence_of_ids.size());
    const size_t sequence = found->second;
    sequence_of_job_.push_back(sequence);
    if (is_new) {
      input_ids_.insert(input_ids_.end(), job.ids.begin(), job.ids.end());
      token_type_ids_.insert(token_type_ids_.end(), job.type_ids.begin(), job.type_ids.end());
      offsets_.push_back(static_cast<uint32_t>(input_ids_.size()));
      wanted_.push_back(job.request->outputs());
      first_pooled_.push_back(job.first_pooled);
      adapters_.push_back(job.adapter);
    } else {
      Unite(job.request->outputs(), wanted_[sequence]);
    }
  }
}

Status ModelRunner::Compute(std::span<const Job> jobs) noexcept {
  try {
    Assemble(jobs);
  } catch (const std::exception&) {
    return Error{ErrorCode::kOutOfMemory, "out of memory", {}};
  }
  return session_->Run({input_ids_, token_type_ids_, offsets_, wanted_, first_pooled_, adapters_},
                       outputs_);
}

Status ModelRunner::CheckDevice() noexcept {
  constexpr int32_t kId[] = {0};
  constexpr uint32_t kOffsets[] = {0, 1};
  constexpr Outputs kWanted[] = {{.dense = false, .token_embeddings = true}};
  return session_->Run(
      {.input_ids = kId, .token_type_ids = kId, .offsets = kOffsets, .wanted = kWanted}, outputs_);
}

}  // namespace embedding
