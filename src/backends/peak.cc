#include "backends/peak.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "base/cpu.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/peak.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Returns the operations done; `sink` keeps the compiler from dropping them. Twelve independent
// sums hide the latency of a multiply-add on every processor with two units of four cycles.
double MultiplyAdds(size_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  constexpr size_t kSums = 12;
  hn::Vec<decltype(d)> sums[kSums];
  for (size_t i = 0; i < kSums; ++i) sums[i] = hn::Set(d, static_cast<float>(i));
  const auto factor = hn::Set(d, 0.999F);
  const auto term = hn::Set(d, 0.5F);
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kSums; ++i) sums[i] = hn::MulAdd(sums[i], factor, term);
  }
  for (size_t i = 1; i < kSums; ++i) sums[0] = hn::Add(sums[0], sums[i]);
  *sink = hn::GetLane(hn::SumOfLanes(d, sums[0]));
  return 2.0 * static_cast<double>(rounds * kSums * hn::Lanes(d));
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(MultiplyAdds);

double MeasuredPeakF32() {
  static const double kPeak = [] {
    double best = 0;
    for (int attempt = 0; attempt < 5; ++attempt) {
      double operations = 0;
      const auto start = std::chrono::steady_clock::now();
      std::vector<std::thread> threads;
      std::mutex mutex;
      threads.reserve(static_cast<size_t>(AvailableCpus()));
      for (int i = 0; i < AvailableCpus(); ++i) {
        threads.emplace_back([&] {
          float sink = 0;
          const double mine = HWY_DYNAMIC_DISPATCH(MultiplyAdds)(20'000'000, &sink);
          const std::lock_guard lock(mutex);
          // Adding zero that the compiler cannot know to be zero.
          operations += mine + (sink == 12345.678F ? 1 : 0);
        });
      }
      for (std::thread& thread : threads) thread.join();
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      best = std::max(best, operations / seconds.count());
    }
    return best;
  }();
  return kPeak;
}

}  // namespace embedding
#endif  // HWY_ONCE
