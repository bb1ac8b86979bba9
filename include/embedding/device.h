// What computes, and in which numbers.
#pragma once

#include <memory>
#include <string>

#include "embedding/status.h"

namespace embedding {

// What the encoder's matrix products multiply. Sums of f32 and bf16, LayerNorm and softmax are f32
// with all of them.
enum class ComputeType {
  kAuto,  // on a CPU bf16 where it multiplies that natively, else f32; on a GPU f16, or bf16 for a
          // model whose numbers are too large for f16
  kF32,
  kBF16,
  kF16,   // on a CPU the weights alone, for machines where reading them costs the time
  kInt8,  // 8-bit integers, whose error is documented; between the products as with kAuto
};

// How much of a processor's instructions computing may use.
enum class InstructionSet {
  kBest,
  kAvx2,  // AVX2, FMA and F16C alone, where the processor has more: what a small machine would do
};

struct DeviceOptions {
  // "cpu"; on Linux "cuda", or "cuda:1" and so on of several GPUs of NVIDIA's; with MLX built in
  // "mps", and "mlx-cpu", which is slow and for tests. "auto" is the first of mps, cuda and cpu that
  // is built in and present.
  std::string device = "auto";
  // Of a CPU. As many threads as the process may use if 0.
  int threads = 0;
  // Holds for the whole process, from the first model on.
  InstructionSet instruction_set = InstructionSet::kBest;
};

// What computes, for one or several models. (backends/backend.h is what it does, for those who are
// inside.)
class Backend;

// Whether this build has the device that DeviceOptions::device names, be it present or not. Errors:
// kDeviceUnavailable, saying which ones it has.
Status CheckDevice(const std::string& device);

// The device that the options name. Thread-safe but for the instruction set. Errors:
// kDeviceUnavailable, saying what there is; kInternal if the system refuses what the device needs.
Result<std::shared_ptr<Backend>> OpenBackend(const DeviceOptions& options);

}  // namespace embedding
