// TruncationGuard: what makes reading a mapped file that was truncated give zeros instead of ending
// the process. mapped_file.h is its only user.
//
// Thread-safety: all of it.
#pragma once

#include <cstddef>

namespace embedding {

class TruncationGuard {
 public:
  // Takes SIGBUS. What is added before and after is guarded alike.
  static void Install();

  // Ranges of memory that map a file. Beyond some thousand, more than any model has files, they are
  // not guarded.
  static void Add(const void* begin, size_t size_bytes);
  static void Remove(const void* begin);

  // Whether zeros stand in for a part of the range that begins there.
  static bool HasFilled(const void* begin);
};

}  // namespace embedding
