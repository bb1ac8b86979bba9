// ProgressBar: how far something is, on standard error. On a terminal a line that is drawn anew in
// its place, as wide as the terminal; elsewhere, with NO_COLOR or TERM=dumb a line every few
// seconds.
//
// Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace embedding::cli {

class ProgressBar {
 public:
  // `unit` is how many of what is counted are one that is shown: 1e6 and "MB" for bytes.
  ProgressBar(double unit, std::string unit_name);
  // Leaves the cursor on a line of its own.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // As often as one likes; `total` 0 if it is not known.
  void Show(std::string_view what, uint64_t done, uint64_t total);

 private:
  using Clock = std::chrono::steady_clock;

  std::string Text() const;
  void Draw();

  const double unit_;
  const std::string unit_name_;
  const bool in_place_;
  bool begun_ = false;
  bool drawn_ = false;  // what was shown last
  std::string what_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
  uint64_t first_done_ = 0;  // of an earlier attempt: they say nothing of the rate
  Clock::time_point started_;
  Clock::time_point next_;
};

}  // namespace embedding::cli
