// A backend alone: Session::Run of the same batch again and again, of the model's own outputs.
//   BENCH_MODEL=DIR BENCH_DEVICE=cuda BENCH_DTYPE=bf16 embedding-bench
//   --benchmark_filter=SessionRun
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "bench/texts.h"
#include "model/model_spec.h"
#include "model/tensors.h"

namespace embedding {
namespace {

// What the session looks into lives as long as it.
struct Loaded {
  ModelSpec spec;
  TensorStore weights;
  Tensors tensors;
  std::shared_ptr<Backend> backend;
  std::unique_ptr<Session> session;
};

std::string Environment(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

Result<std::unique_ptr<Loaded>> Load() {
  const std::map<std::string, ComputeType> types = {{"auto", ComputeType::kAuto},
                                                    {"f32", ComputeType::kF32},
                                                    {"f16", ComputeType::kF16},
                                                    {"bf16", ComputeType::kBF16},
                                                    {"int8", ComputeType::kInt8}};
  const auto type = types.find(Environment("BENCH_DTYPE", "auto"));
  if (type == types.end())
    return Error{ErrorCode::kInvalidArgument, "BENCH_DTYPE: auto, f32, f16, bf16 or int8", {}};
  ASSIGN_OR_RETURN(ModelSpec spec,
                   ReadModelSpec(BenchModel("BENCH_MODEL", "models/all-MiniLM-L6-v2")));
  ASSIGN_OR_RETURN(TensorStore weights, TensorStore::OpenDirectory(spec.transformer_directory));
  std::unique_ptr<Loaded> loaded(new Loaded{std::move(spec), std::move(weights), {}, {}, {}});
  ASSIGN_OR_RETURN(loaded->tensors, ReadTensors(loaded->spec, loaded->weights));
  ASSIGN_OR_RETURN(loaded->backend, OpenBackend({.device = Environment("BENCH_DEVICE", "cpu")}));
  ASSIGN_OR_RETURN(loaded->session,
                   loaded->backend->Load(loaded->spec.architecture, loaded->tensors, type->second));
  return loaded;
}

void SessionRun(benchmark::State& state) {
  static auto loaded = Load();
  if (!loaded.ok()) return state.SkipWithError(loaded.error().message.c_str());
  const auto sequences = static_cast<size_t>(state.range(0));
  const auto tokens = static_cast<size_t>(state.range(1));
  const Encoder& encoder = (*loaded)->spec.architecture.encoder;
  if (tokens > encoder.max_tokens) return state.SkipWithError("longer than the model takes");
  std::vector<int32_t> ids;
  for (size_t i = 0; i < sequences * tokens; ++i)
    ids.push_back(static_cast<int32_t>(i * 7919 % encoder.vocab_size));
  const std::vector<int32_t> types(ids.size(), 0);
  std::vector<uint32_t> offsets;
  for (size_t s = 0; s <= sequences; ++s) offsets.push_back(static_cast<uint32_t>(s * tokens));
  const Heads& heads = (*loaded)->spec.architecture.heads;
  const bool scores = heads.classifier || heads.scores;
  const std::vector<Outputs> wanted(sequences, Outputs{.dense = !scores, .logits = scores});
  BatchOutputs outputs;
  for (auto _ : state) {
    const Status run = (*loaded)->session->Run({ids, types, offsets, wanted}, outputs);
    if (!run.ok()) return state.SkipWithError(run.error().message.c_str());
  }
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(ids.size()),
                                                  benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(std::string((*loaded)->session->dtype()));
}
BENCHMARK(SessionRun)
    ->ArgNames({"texts", "tokens"})
    ->Args({1, 20})
    ->Args({10, 20})
    ->Args({100, 20})
    ->Args({128, 128})
    ->Args({1, 512})
    ->Args({1, 727})
    ->Args({32, 512})
    ->Args({2, 8190})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace embedding
