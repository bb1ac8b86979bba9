#include "backends/cpu/arm_extensions.h"

#include <atomic>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

#include <cstddef>
#endif

namespace embedding {
namespace {

std::atomic<uint32_t> limit = ~0U;
std::atomic<bool> chosen = false;

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

#else

uint32_t AskSystem() { return 0; }

#endif

}  // namespace

uint32_t ArmExtensionsPresent() {
  static const uint32_t kPresent = AskSystem();
  return kPresent;
}

uint32_t ArmExtensions() {
  if (!chosen.load(std::memory_order_relaxed)) chosen = true;
  return ArmExtensionsPresent() & limit;
}

bool LimitArmExtensions(uint32_t extensions) {
  if (chosen && (ArmExtensions() & ~extensions) != 0) return false;
  limit = extensions;
  return true;
}

void SetArmExtensionsForTest(uint32_t extensions) { limit = extensions; }

std::string ArmExtensionNames() {
  std::string names;
  const auto add = [&](ArmExtension extension, const char* name) {
    if ((ArmExtensions() & extension) == 0) return;
    if (!names.empty()) names += ' ';
    names += name;
  };
  add(kArmDotprod, "dotprod");
  add(kArmI8mm, "i8mm");
  add(kArmBf16, "bf16");
  return names;
}

}  // namespace embedding
