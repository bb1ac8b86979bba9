// Which 16-bit numbers a GPU computes a model with: f16 has three bits more than bf16, and some
// models compute numbers beyond 65,504, its largest.
#pragma once

#include <functional>
#include <memory>

#include "backends/backend.h"
#include "base/result.h"

namespace embedding {

// The session that `load` makes for `type`. Of f16 a sequence of ids from all over the vocabulary
// is computed first: where its last hidden states are not finite, kAuto takes bf16. Errors: load's;
// kModelLoad for kF16 that was asked for and does not serve.
Result<std::unique_ptr<Session>> LoadInF16OrWider(
    const Architecture& architecture, ComputeType type,
    const std::function<Result<std::unique_ptr<Session>>(ComputeType)>& load);

}  // namespace embedding
