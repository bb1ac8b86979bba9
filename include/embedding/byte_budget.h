// ByteBudget: a bound on the bytes that many things hold together.
//
// Who is about to hold memory takes its bytes from the budget as a ByteCharge, and does without
// where they are not to be had; the charge gives them back when it ends. Nothing waits.
//
// Thread-safety: a budget may be used from any thread, and must outlive its charges; a charge is
// one thread's at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace embedding {

class ByteBudget;

class ByteCharge {
 public:
  ByteCharge() = default;
  explicit ByteCharge(ByteBudget& budget) : budget_(&budget) {}
  ByteCharge(ByteCharge&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  ByteCharge& operator=(ByteCharge&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~ByteCharge();

  // Takes what is missing to `bytes` in all; false, with the charge as it was, if the budget has
  // less left. A charge without a budget is given all that it asks for.
  [[nodiscard]] bool GrowTo(size_t bytes);

  size_t bytes() const { return bytes_; }

 private:
  ByteBudget* budget_ = nullptr;
  size_t bytes_ = 0;
};

class ByteBudget {
 public:
  explicit ByteBudget(size_t limit_bytes) : limit_(limit_bytes) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  size_t limit() const { return limit_; }
  // By all charges, now.
  size_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  friend class ByteCharge;

  bool Take(size_t bytes) {
    size_t taken = taken_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ - taken) return false;
    } while (!taken_.compare_exchange_weak(taken, taken + bytes, std::memory_order_relaxed));
    return true;
  }
  void GiveBack(size_t bytes) { taken_.fetch_sub(bytes, std::memory_order_relaxed); }

  const size_t limit_;
  std::atomic<size_t> taken_ = 0;  // never above limit_
};

inline ByteCharge::~ByteCharge() {
  if (budget_ != nullptr) budget_->GiveBack(bytes_);
}

inline bool ByteCharge::GrowTo(size_t bytes) {
  if (bytes <= bytes_) return true;
  if (budget_ != nullptr && !budget_->Take(bytes - bytes_)) return false;
  bytes_ = bytes;
  return true;
}

}  // namespace embedding
