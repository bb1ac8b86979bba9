// The seam between the engine and what computes. A Backend is a device; a Session is a model loaded
// on it: token ids go in, and what the model's heads make of them comes out, in the host's memory.
//
// A batch is packed: the tokens of all sequences stand one after another without padding, and
// `offsets` says where each sequence begins. (A device that must pad does so behind the seam, and
// says in its Limits what a batch costs it.) A sequence's result does not depend on its neighbours.
//
// Thread-safety: a Backend may be used from any thread; a Session is used by one thread at a time.
// Sessions may share what computes, and take turns then; those of different CPU backends compute at
// the same time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "embedding/device.h"
#include "embedding/outputs.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

// What a session takes at a time: the engine plans its batches by these.
struct Limits {
  // Tokens that a batch should not exceed; a longer sequence is a batch by itself.
  size_t max_tokens = std::numeric_limits<size_t>::max();
  size_t max_sequences = std::numeric_limits<size_t>::max();
  // Whether each sequence takes as many tokens as the batch's longest.
  bool padded = false;
};

struct Batch {
  std::span<const int32_t> input_ids;       // [tokens]
  std::span<const int32_t> token_type_ids;  // [tokens]
  std::span<const uint32_t> offsets;        // [sequences + 1], from 0 to tokens, ascending
  std::span<const Outputs> wanted;          // [sequences]
  // Of a sequence's tokens the first that is pooled, where PooledVector::pools_prompt is not set:
  // [sequences], each at most the sequence's tokens, or empty, where all are 0.
  std::span<const uint32_t> first_pooled = {};

  // Which of Encoder::adapters a sequence's weights have: [sequences], each one's number or -1 for
  // none, or empty, where all have none.
  std::span<const int32_t> adapters = {};

  size_t first_pooled_of(size_t sequence) const {
    return first_pooled.empty() ? 0 : first_pooled[sequence];
  }
  int32_t adapter_of(size_t sequence) const { return adapters.empty() ? -1 : adapters[sequence]; }
  size_t tokens() const { return input_ids.size(); }
  size_t sequences() const { return wanted.size(); }
};

// Of one sequence; empty where it was not wanted. The views are valid until the session's next Run.
struct SequenceOutputs {
  std::span<const float> dense;              // [dimension], not normalised
  std::vector<TokenWeight> lexical_weights;  // above 0, each id once
  std::span<const float> colbert_vecs;       // [tokens - 1, dimension], each of length 1
  std::span<const float> token_embeddings;   // [tokens, hidden_size]
  std::span<const float> logits;             // [labels]
};

using BatchOutputs = std::vector<SequenceOutputs>;  // [sequences]

class Session {
 public:
  virtual ~Session() = default;

  // Ids lie in [0, vocab_size), types in [0, token_types), sequences have at most
  // Encoder::max_tokens tokens, and what is wanted the model's heads give; a sequence of which
  // logits are wanted is not empty. The caller has checked that. Memory is linear in the tokens.
  // Errors: kOutOfMemory, where a smaller batch may fit; kInternal when the device fails. The
  // session stays usable.
  virtual Status Run(const Batch& batch, BatchOutputs& outputs) noexcept = 0;

  virtual Limits limits() const = 0;
  virtual std::string_view dtype() const = 0;  // of the matrix products: "f32"
  // What those multiply, where it is not numbers of that type: "int8 slices".
  virtual std::string_view products() const { return dtype(); }
};

class Backend {
 public:
  virtual ~Backend() = default;

  // Makes a model ready to compute; takes seconds for a large one. The tensors' views are valid as
  // long as the session lives, for the embedding tables are read where they are mapped; those of
  // heads and layers are copied. Errors: kModelLoad for weights that cannot be computed with;
  // kDeviceUnavailable for a ComputeType that the device does not have.
  virtual Result<std::unique_ptr<Session>> Load(const Architecture& architecture,
                                                const Tensors& tensors, ComputeType type) = 0;

  virtual std::string_view device() const = 0;  // "cpu"

  // What, besides a model's weights and the dtype, the bits of its results depend on: where two
  // processes, on whatever machines, say the same, they compute the same. On a device where the
  // sizes of a batch decide how its sums are added up, as a GPU's libraries do, a sequence's last
  // bits depend on its neighbours too: there as much the same as in two batches of one process. Of
  // the sessions that have been loaded.
  virtual std::string numerics() const = 0;
};

}  // namespace embedding
