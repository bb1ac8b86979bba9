// What the cache adds to a text: its key, and looking it up and storing it, or finding it. Of a
// vector of all-MiniLM-L6-v2's size, in memory.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/model_identity.h"
#include "engine/result_cache.h"

namespace embedding {
namespace {

constexpr size_t kDimension = 384;

std::vector<Job> OneText(size_t tokens) {
  std::vector<Job> jobs(1);
  jobs[0].ids.assign(tokens, 1037);
  jobs[0].type_ids.assign(tokens, 0);
  return jobs;
}

// A text of so many tokens that is not there, and is stored once it is computed.
void CacheMiss(benchmark::State& state) {
  const ResultCache cache(MakeMemoryStore(64'000'000), NewIdentity(), {.dimension = kDimension});
  const std::vector<float> vector(kDimension, 0.5F);
  SequenceOutputs outputs;
  outputs.dense = vector;
  std::vector<Job> jobs = OneText(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    ++jobs[0].ids[0];
    cache.SetKeys(jobs);
    benchmark::DoNotOptimize(cache.Find(jobs, {}));
    cache.Put(jobs[0], {}, outputs);
  }
}
BENCHMARK(CacheMiss)->Arg(20)->Arg(512)->Arg(8192);

void CacheHit(benchmark::State& state) {
  const ResultCache cache(MakeMemoryStore(64'000'000), NewIdentity(), {.dimension = kDimension});
  const std::vector<float> vector(kDimension, 0.5F);
  SequenceOutputs outputs;
  outputs.dense = vector;
  std::vector<Job> jobs = OneText(static_cast<size_t>(state.range(0)));
  cache.SetKeys(jobs);
  cache.Put(jobs[0], {}, outputs);
  for (auto _ : state) {
    cache.SetKeys(jobs);
    benchmark::DoNotOptimize(cache.Find(jobs, {}));
  }
}
BENCHMARK(CacheHit)->Arg(20)->Arg(512)->Arg(8192);

}  // namespace
}  // namespace embedding
