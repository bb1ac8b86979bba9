#include "backends/cpu/cpu_extensions.h"

#include <atomic>
#include <utility>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

#include <cstddef>
#elif defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace embedding {
namespace {

std::atomic<uint32_t> limit = ~0U;
std::atomic<bool> chosen = false;
std::atomic<bool> set_for_test = false;
std::atomic<uint32_t> for_test = 0;

#if defined(__aarch64__) && defined(__linux__)

uint32_t AskSystem() {
  const auto basic = getauxval(AT_HWCAP);
  const auto more = getauxval(AT_HWCAP2);
  return ((basic & HWCAP_ASIMDDP) != 0 ? kArmDotprod : 0U) |
         ((more & HWCAP2_I8MM) != 0 ? kArmI8mm : 0U) | ((more & HWCAP2_BF16) != 0 ? kArmBf16 : 0U);
}

#elif defined(__aarch64__) && defined(__APPLE__)

bool Has(const char* feature) {
  int present = 0;
  size_t size = sizeof(present);
  return sysctlbyname(feature, &present, &size, nullptr, 0) == 0 && present != 0;
}

uint32_t AskSystem() {
  return (Has("hw.optional.arm.FEAT_DotProd") ? kArmDotprod : 0U) |
         (Has("hw.optional.arm.FEAT_I8MM") ? kArmI8mm : 0U) |
         (Has("hw.optional.arm.FEAT_BF16") ? kArmBf16 : 0U);
}

#elif defined(__x86_64__)

// cpuid's leaf 7: Intel's manual, volume 2A. That the system keeps the registers of AVX and AVX-512
// the compiler's library asks.
uint32_t AskSystem() {
  uint32_t eax = 0;
  uint32_t ebx = 0;
  uint32_t ecx = 0;
  uint32_t edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return 0;
  constexpr uint32_t kTiles = 1U << 22 | 1U << 24 | 1U << 25;  // AMX-BF16, AMX-TILE, AMX-INT8
  const bool has_tiles = (edx & kTiles) == kTiles;
  const bool has_vnni512 = (ecx & 1U << 11) != 0;
  if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) == 0) eax = 0;
  uint32_t found = 0;
  if (__builtin_cpu_supports("avx2") != 0 && (eax & 1U << 4) != 0) found |= kX86AvxVnni;
  if (__builtin_cpu_supports("avx512f") != 0) {
    if (has_vnni512) found |= kX86Avx512Vnni;
    if ((eax & 1U << 5) != 0) found |= kX86Avx512Bf16;
  }
  constexpr uint32_t kBeside = kX86Avx512Vnni | kX86Avx512Bf16;
  if (has_tiles && (found & kBeside) == kBeside) found |= kX86Amx;
  return found;
}

#else

uint32_t AskSystem() { return 0; }

#endif

// Linux gives a process tiles only if it asks: their state takes 8 KB of each of its threads, and
// of the stacks that its signals are handled on.
bool SystemGrantsTiles() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr long kRequest = 0x1023;  // ARCH_REQ_XCOMP_PERM, of Linux 5.16
  constexpr long kTileData = 18;     // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace

uint32_t CpuExtensionsPresent() {
  static const uint32_t kPresent = AskSystem();
  return kPresent;
}

uint32_t CpuExtensions() {
  if (set_for_test) return for_test;
  if (!chosen.load(std::memory_order_relaxed)) chosen = true;
  const uint32_t within = CpuExtensionsPresent() & limit;
  if ((within & kX86Amx) == 0) return within;
  static const bool kGranted = SystemGrantsTiles();
  return kGranted ? within : within & ~uint32_t{kX86Amx};
}

bool LimitCpuExtensions(uint32_t extensions) {
  if (chosen) return (CpuExtensions() & ~extensions) == 0;
  limit = extensions;
  return true;
}

void SetCpuExtensionsForTest(std::optional<uint32_t> extensions) {
  for_test = extensions.value_or(0);
  set_for_test = extensions.has_value();
}

std::string CpuExtensionNames() {
  constexpr std::pair<CpuExtension, const char*> kNames[] = {
      {kArmDotprod, "dotprod"},
      {kArmI8mm, "i8mm"},
      {kArmBf16, "bf16"},
      {kX86AvxVnni, "avx-vnni"},
      {kX86Avx512Vnni, "avx512-vnni"},
      {kX86Avx512Bf16, "avx512-bf16"},
      {kX86Amx, "amx"},
  };
  std::string names;
  for (const auto& [extension, name] : kNames) {
    if ((CpuExtensions() & extension) == 0) continue;
    if (!names.empty()) names += ' ';
    names += name;
  }
  return names;
}

}  // namespace embedding
