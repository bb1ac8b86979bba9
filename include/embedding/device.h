// What computes, and in which numbers.
#pragma once

#include <memory>
#include <string>

#include "embedding/status.h"

namespace embedding {

// What the encoder's matrix products multiply. Sums of f32 and bf16, LayerNorm and softmax are f32
// with all of them.
enum class ComputeType {
  kAuto,  // bf16 where the device multiplies it natively, else f32
  kF32,
  kBF16,
  kF16,   // weights; what they multiply is f32. For machines where reading weights costs the time
  kInt8,  // 8-bit integers, whose error is documented; between the products as with kAuto
};

// How much of a processor's instructions computing may use.
enum class InstructionSet {
  kBest,
  kAvx2,  // AVX2, FMA and F16C alone, where the processor has more: what a small machine would do
};

struct DeviceOptions {
  std::string device = "auto";  // "cpu"; auto is the first of those that are built in and present
  // Of a CPU. As many threads as the process may use if 0.
  int threads = 0;
  // Holds for the whole process, from the first model on.
  InstructionSet instruction_set = InstructionSet::kBest;
};

// What computes, for one or several models. (backends/backend.h is what it does, for those who are
// inside.)
class Backend;

// The device that the options name. Thread-safe but for the instruction set. Errors:
// kDeviceUnavailable, saying what there is; kInternal if the system refuses what the device needs.
Result<std::shared_ptr<Backend>> OpenBackend(const DeviceOptions& options);

}  // namespace embedding
