// A model loaded on a device of MLX: the encoder and the heads that it has.
#pragma once

#include <mlx/device.h>

#include <memory>

#include "backends/backend.h"

namespace embedding {

// `type` is not kInt8; with kAuto it is f16 on a GPU, or bf16 for a model whose numbers are too
// large for that, and f32 on a CPU. Errors: kModelLoad for f16 with numbers beyond it. Throws what
// MLX throws.
Result<std::unique_ptr<Session>> MakeMlxSession(const Architecture& architecture,
                                                const Tensors& tensors, ComputeType type,
                                                mlx::core::Device device, bool compiled);

}  // namespace embedding
