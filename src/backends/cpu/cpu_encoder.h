// The encoder on the CPU: from token ids to the last hidden states.
#pragma once

#include <memory>
#include <span>

#include "backends/backend.h"
#include "backends/wanted_tokens.h"
#include "base/thread_team.h"

namespace embedding {

// Not thread-safe.
class CpuEncoder {
 public:
  virtual ~CpuEncoder() = default;

  // The last hidden states of the tokens `wanted`, [sequences], of each sequence, side by side:
  // f32, [their number, hidden_size], valid until the next call. Throws std::bad_alloc, and what
  // oneDNN throws.
  virtual std::span<const float> Run(const Batch& batch, std::span<const TokenRange> wanted) = 0;
};

// Packs the weights for `team`, which must outlive the encoder. `type` is not kAuto; with
// `has_bf16` what passes between products of int8 is bf16. Errors: kModelLoad naming the tensor.
// Throws what packing throws.
Result<std::unique_ptr<CpuEncoder>> MakeCpuEncoder(const Encoder& encoder,
                                                   const EncoderTensors& tensors, ComputeType type,
                                                   bool has_bf16, ThreadTeam& team);

}  // namespace embedding
