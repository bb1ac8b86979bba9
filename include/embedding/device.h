// What computes, and in which numbers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
  // Less than the processor has: what a smaller one would do. Of x86-64:
  kAvx2,     // AVX2, FMA and F16C alone
  kAvxVnni,  // and AVX-VNNI's dot products of bytes, as a laptop with Intel's processor
  kAvx512,   // AVX-512 with the dot products that there are, without AMX
  // Of Arm's 64 bits:
  kNeon,     // NEON alone, as a Cortex-A72
  kDotprod,  // and its dot products of bytes, as an M1 or Graviton 2
};

struct DeviceOptions {
  // "cpu"; on Linux "cuda", or "cuda:1" and so on of several GPUs of NVIDIA's; with MLX built in
  // "mps", "mlx-cuda", and "mlx-cpu", which is slow and for tests. "auto" is the first of mps, cuda
  // and cpu that is built in and present.
  std::string device = "auto";
  // Of a CPU. As many threads as the process may use if 0.
  int threads = 0;
  // At least 1. How many times a model is loaded, to compute as many batches at the same time: on
  // NVIDIA's GPUs once on each, from the one that is named on; on a CPU each has its share of the
  // threads and weights of its own.
  size_t replicas = 1;
  // Holds for the whole process, from the first model on.
  InstructionSet instruction_set = InstructionSet::kBest;
};

// What computes, for one or several models. (backends/backend.h is what it does, for those who are
// inside.)
class Backend;

// Whether this build has the device that DeviceOptions::device names, be it present or not. Errors:
// kDeviceUnavailable, saying which ones it has.
Status CheckDevice(const std::string& device);

// The device that the options name, the first one where there are to be replicas. Thread-safe but
// for the instruction set. Errors: kDeviceUnavailable, saying what there is; kInternal if the
// system refuses what the device needs.
Result<std::shared_ptr<Backend>> OpenBackend(const DeviceOptions& options);

// The devices of all replicas: as many as DeviceOptions::replicas. Errors: as above;
// kDeviceUnavailable too where there are fewer, or where the device has none.
Result<std::vector<std::shared_ptr<Backend>>> OpenBackends(const DeviceOptions& options);

// How one of the devices is that a model computes on.
struct DeviceState {
  std::string device;  // "cuda:0"
  // How the last thing went that it did. kUnavailable, saying since when, while it does not answer.
  Status status;
  // From when on it has not answered, where that is longer than EmbedderOptions::device_timeout.
  std::optional<std::chrono::system_clock::time_point> silent_since;
  // How long it has been computing what it computes; zero while it waits for work.
  std::chrono::steady_clock::duration busy{};
  // What it has been given to compute since it was opened.
  uint64_t batches = 0;
  uint64_t texts = 0;
  uint64_t tokens = 0;
};

}  // namespace embedding
