#include "base/truncation_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>

namespace embedding {
namespace {

struct Range {
  std::atomic<uintptr_t> begin = 0;  // 0: free; UINTPTR_MAX: about to be taken or left
  std::atomic<uintptr_t> end = 0;
  std::atomic<bool> filled = false;
};

// A signal handler may take no lock: it reads these as they are.
std::array<Range, 4096> ranges;

uintptr_t AddressOf(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

Range* Find(uintptr_t begin) {
  const auto found = std::find_if(ranges.begin(), ranges.end(), [begin](const Range& range) {
    return range.begin.load() == begin;
  });
  return found == ranges.end() ? nullptr : &*found;
}

// Puts zeros in place of the rest of the range that the address lies in: that is what the file no
// longer has. The instruction that read it is then repeated.
void OnBusError(int signal, siginfo_t* info, void* /*context*/) {
  const uintptr_t address = AddressOf(info->si_addr);
  for (Range& range : ranges) {
    const uintptr_t begin = range.begin;
    const uintptr_t end = range.end;
    if (begin == 0 || range.begin != begin || address < begin || address >= end) continue;
    const auto page_bytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    std::byte* const page = static_cast<std::byte*>(info->si_addr) - address % page_bytes;
    void* const zeros = ::mmap(page, end - AddressOf(page), PROT_READ,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) break;
    range.filled = true;
    return;
  }
  ::signal(signal, SIG_DFL);  // the instruction is repeated, and ends the process as ever
}

}  // namespace

void TruncationGuard::Install() {
  struct sigaction action {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO;
  (void)::sigaction(SIGBUS, &action, nullptr);
}

void TruncationGuard::Add(const void* begin, size_t size_bytes) {
  if (begin == nullptr) return;
  for (Range& range : ranges) {
    uintptr_t none = 0;
    if (!range.begin.compare_exchange_strong(none, UINTPTR_MAX)) continue;
    range.filled = false;
    range.end = AddressOf(begin) + size_bytes;
    range.begin = AddressOf(begin);
    return;
  }
}

void TruncationGuard::Remove(const void* begin) {
  Range* const range = Find(AddressOf(begin));
  if (range == nullptr) return;
  range->begin = UINTPTR_MAX;
  range->end = 0;
  range->begin = 0;
}

bool TruncationGuard::HasFilled(const void* begin) {
  const Range* range = begin == nullptr ? nullptr : Find(AddressOf(begin));
  return range != nullptr && range->filled;
}

}  // namespace embedding
