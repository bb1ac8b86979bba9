#include "http/repeated_signals.h"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <initializer_list>

namespace embedding::http {
namespace {

constexpr int64_t kOnePressMs = 1000;

std::atomic<int64_t> first_ms;
static_assert(std::atomic<int64_t>::is_always_lock_free, "a signal's handler reads it");

// By what POSIX allows in a signal's handler.
int64_t NowMs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

extern "C" void OnRepeatedSignal(int signal) {
  if (NowMs() - first_ms < kOnePressMs) return;
  ::signal(signal, SIG_DFL);
  ::raise(signal);  // which waits until this handler has returned
}

}  // namespace

void TakeRepeatedSignals() {
  first_ms = NowMs();
  struct sigaction action {};
  action.sa_handler = OnRepeatedSignal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

}  // namespace embedding::http
