// What this machine does with a model: requests of several kinds, timed.
//
// For a program that does nothing else at the time.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "base/result.h"
#include "embedding/engine.h"

namespace embedding::app {

struct BenchCase {
  std::string name;
  size_t clients = 1;  // at a time, each with a request after another
  size_t texts = 1;    // of a request
  size_t words = 16;   // of a text; a long one is cut by the model
};

// One text, 10, 100, long ones, many clients.
std::vector<BenchCase> BenchCases(const ModelInfo& info);

struct BenchResult {
  size_t requests = 0;
  double texts_per_s = 0;
  double tokens_per_s = 0;
  double median_ms = 0;  // of a request
  double p95_ms = 0;
  double flops = 0;  // operations a second that the encoder's products and attention take; 0 if
                     // the model's size is not known
};

// What the encoder computes, out of the model's config.json.
struct EncoderSize {
  double layers = 0;
  double hidden = 0;
  double intermediate = 0;
};
// All 0 where the file has other names for it.
EncoderSize EncoderSizeOf(const std::string& directory);

// Runs a case for about `duration`, after a request that is not counted. Errors: those of the
// embedder.
Result<BenchResult> RunBench(Embedder& embedder, const BenchCase& bench, const EncoderSize& size,
                             std::chrono::milliseconds duration);

// Operations a second that f32 multiply-adds on registers reach on all CPUs.
double MachineLimit();

}  // namespace embedding::app
