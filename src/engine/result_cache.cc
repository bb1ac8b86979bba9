#include "engine/result_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace embedding {
namespace {

// The heads by their place in a key. Token embeddings are not stored: they are the largest, and
// asked for the most seldom.
enum Head : size_t { kDense, kLexicalWeights, kColbertVecs, kLogits, kHeads };

constexpr bool Outputs::*kWanted[kHeads] = {&Outputs::dense, &Outputs::lexical_weights,
                                            &Outputs::colbert_vecs, &Outputs::logits};

// Texts' keys are hashes: that of the next head is as far from all others as any.
ResultKey KeyOf(ResultKey text, size_t head) {
  text.hash[1] += head;
  return text;
}

// The whole of it is what is read: its address is aligned, for operator new made it.
template <typename T>
std::span<const T> As(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

std::span<const std::byte> BytesOf(size_t head, const SequenceOutputs& outputs) {
  switch (head) {
    case kDense:
      return std::as_bytes(outputs.dense);
    case kLexicalWeights:
      return std::as_bytes(std::span(outputs.lexical_weights));
    case kColbertVecs:
      return std::as_bytes(outputs.colbert_vecs);
    default:
      return std::as_bytes(outputs.logits);
  }
}

void Set(size_t head, const std::vector<std::byte>& bytes, SequenceOutputs& outputs) {
  switch (head) {
    case kDense:
      outputs.dense = As<float>(bytes);
      return;
    case kLexicalWeights: {
      const auto weights = As<TokenWeight>(bytes);
      outputs.lexical_weights.assign(weights.begin(), weights.end());
      return;
    }
    case kColbertVecs:
      outputs.colbert_vecs = As<float>(bytes);
      return;
    default:
      outputs.logits = As<float>(bytes);
  }
}

static_assert(sizeof(TokenWeight) == sizeof(int32_t) + sizeof(float), "it has no padding");

}  // namespace

void ResultCache::SetKeys(std::span<Job> jobs) const {
  for (Job& job : jobs) {
    const bool has_types = std::any_of(job.type_ids.begin(), job.type_ids.end(),
                                       [](int32_t type) { return type != 0; });
    // How many ids there are, and whether types, the first pooled token and an adapter follow: no
    // other text has the same bytes.
    const uint64_t shape = 2 * job.ids.size() + (has_types ? 1 : 0) +
                           (job.first_pooled != 0 ? uint64_t{1} << 63 : 0) +
                           (job.adapter >= 0 ? uint64_t{1} << 62 : 0);
    Sha256 sha256;
    sha256.Update(identity_);
    sha256.Update(std::as_bytes(std::span(&shape, 1)));
    sha256.Update(std::as_bytes(std::span(job.ids)));
    if (has_types) sha256.Update(std::as_bytes(std::span(job.type_ids)));
    if (job.first_pooled != 0) sha256.Update(std::as_bytes(std::span(&job.first_pooled, 1)));
    if (job.adapter >= 0) sha256.Update(std::as_bytes(std::span(&job.adapter, 1)));
    const Sha256::Digest digest = sha256.Finish();
    std::memcpy(job.key.hash.data(), digest.data(), sizeof(job.key.hash));
  }
}

bool ResultCache::Fits(size_t head, std::span<const std::byte> bytes, size_t tokens) const {
  switch (head) {
    case kDense:
      return bytes.size() == shape_.dimension * sizeof(float);
    case kColbertVecs: {
      const size_t vectors = std::max(tokens, size_t{1}) - 1;
      return bytes.size() == vectors * shape_.colbert_dimension * sizeof(float);
    }
    case kLogits:
      return bytes.size() == shape_.labels * sizeof(float);
    default:
      break;
  }
  for (size_t at = 0; at < bytes.size(); at += sizeof(TokenWeight)) {
    if (bytes.size() - at < sizeof(TokenWeight)) return false;
    int32_t id = 0;
    std::memcpy(&id, bytes.data() + at, sizeof(id));
    if (id < 0 || static_cast<size_t>(id) >= shape_.vocab_size) return false;
  }
  return true;
}

std::vector<std::optional<CachedText>> ResultCache::Find(std::span<const Job> jobs,
                                                         const Outputs& wanted) const {
  std::vector<std::optional<CachedText>> texts(jobs.size());
  if (wanted.token_embeddings) return texts;
  std::vector<size_t> heads;
  for (size_t head = 0; head < kHeads; ++head) {
    if (wanted.*kWanted[head]) heads.push_back(head);
  }
  if (heads.empty()) return texts;
  std::vector<ResultKey> keys;
  keys.reserve(jobs.size() * heads.size());
  for (const Job& job : jobs) {
    for (const size_t head : heads) keys.push_back(KeyOf(job.key, head));
  }
  std::vector<StoredResult> found(keys.size());
  store_->Find(keys, found);
  auto result = found.begin();
  for (size_t i = 0; i < jobs.size(); ++i) {
    CachedText text;
    bool whole = true;
    for (const size_t head : heads) {
      StoredResult& stored = text.kept_[head];
      stored = std::move(*result++);
      whole = whole && stored != nullptr && Fits(head, *stored, jobs[i].ids.size());
      if (whole) Set(head, *stored, text.outputs_);
    }
    if (whole) texts[i] = std::move(text);
  }
  return texts;
}

void ResultCache::Put(const Job& job, const Outputs& wanted,
                      const SequenceOutputs& outputs) const noexcept {
  for (size_t head = 0; head < kHeads; ++head) {
    if (wanted.*kWanted[head]) store_->Put(KeyOf(job.key, head), BytesOf(head, outputs));
  }
}

}  // namespace embedding
