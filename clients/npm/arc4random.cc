// glibc has arc4random since 2.36, and the libstdc++ of a system that has it takes
// std::random_device from there: alone of all, it would keep the program from running on
// Ubuntu 22.04 (2.35). So it is here too.
#include <sys/random.h>

#include <cstdint>
#include <cstdlib>

extern "C" uint32_t arc4random() noexcept {
  uint32_t number = 0;
  // Of so few bytes it neither fails nor gives less, once the kernel has what to make them of.
  if (getentropy(&number, sizeof number) != 0) std::abort();
  return number;
}
