#include "base/aligned_buffer.h"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace embedding {

void* AllocateAligned(size_t bytes) {
  constexpr size_t kHugePageBytes = size_t{2} << 20;
  const bool huge = bytes >= kHugePageBytes;
  const size_t alignment = huge ? kHugePageBytes : kCacheLineBytes;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
#ifdef __linux__
  if (huge)
    (void)::madvise(memory, rounded, MADV_HUGEPAGE);  // a wish: no harm if it is not granted
#endif
  return memory;
}

}  // namespace embedding
