// TokenBucket: how much a client may still take, of what comes in at a steady rate.
//
// It fills at `rate` a second, up to what comes in `burst` seconds, and is full at first. It counts
// in whole billionths, of units and of seconds: nothing is lost by rounding, so that what is taken
// over any time is `rate` times that time, and a burst, exactly. Taking may leave it with a debt,
// which is paid before there is anything to take again.
//
// Not thread-safe. Time is the caller's, and does not go back.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace embedding::http {

class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Nanoseconds = std::chrono::nanoseconds;

  // rate * burst is 10^9 at most.
  struct Size {
    uint64_t rate = 0;   // a second, at least 1
    uint64_t burst = 1;  // seconds, at least 1

    uint64_t units() const { return rate * burst; }
  };

  TokenBucket(const Size& size, Time now) : level_(Full(size)), filled_(now) {}

  // Takes what has come in since the last time. The size may be another than then.
  void Fill(const Size& size, Time now) {
    const int64_t missing = Full(size) - level_;
    const int64_t rate = static_cast<int64_t>(size.rate);
    const int64_t passed = std::max<int64_t>(Nanoseconds(now - filled_).count(), 0);
    filled_ = std::max(filled_, now);
    level_ = missing <= 0 || passed >= missing / rate + 1 ? Full(size) : level_ + passed * rate;
    level_ = std::min(level_, Full(size));
  }

  // Whether there are `units`, or, of 0, anything at all.
  bool Has(uint64_t units) const { return level_ >= std::max<int64_t>(Scaled(units), 1); }
  void Take(uint64_t units) { level_ = std::max(level_ - Scaled(units), kDeepest); }

  // Whole units that are left; none of a debt.
  uint64_t left() const { return level_ > 0 ? static_cast<uint64_t>(level_ / kScale) : 0; }
  bool full(const Size& size) const { return level_ >= Full(size); }
  // Until Has(units).
  Nanoseconds WaitFor(const Size& size, uint64_t units) const {
    return Until(size, std::max<int64_t>(Scaled(units), 1));
  }
  Nanoseconds WaitUntilFull(const Size& size) const { return Until(size, Full(size)); }

 private:
  static constexpr int64_t kScale = 1'000'000'000;
  static constexpr int64_t kDeepest = -4 * kScale * kScale;  // what 64 bits leave room for

  static int64_t Full(const Size& size) { return Scaled(size.units()); }
  static int64_t Scaled(uint64_t units) {
    return static_cast<int64_t>(std::min<uint64_t>(units, kScale)) * kScale;
  }
  Nanoseconds Until(const Size& size, int64_t level) const {
    const int64_t rate = static_cast<int64_t>(size.rate);
    return Nanoseconds(level <= level_ ? 0 : (level - level_ + rate - 1) / rate);
  }

  int64_t level_;  // in 10^-9 units
  Time filled_;
};

}  // namespace embedding::http
