#include "base/aligned_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <new>

namespace embedding {
namespace {

TEST(AlignedBufferTest, IsUsableAfterMemoryRanOut) {
  AlignedBuffer<float> buffer(100);
  EXPECT_THROW(buffer.Resize(std::numeric_limits<size_t>::max() / 16), std::bad_alloc);
  EXPECT_EQ(buffer.size(), 0U);
  buffer.Resize(100);
  ASSERT_NE(buffer.data(), nullptr);
  buffer[99] = 1;
  EXPECT_EQ(buffer.span()[99], 1);
}

TEST(AlignedBufferTest, StartsAtACacheLineWhateverItsSize) {
  for (const size_t size : {size_t{1}, size_t{15}, size_t{1000}, size_t{1} << 20}) {
    const AlignedBuffer<float> buffer(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % kCacheLineBytes, 0U) << size;
  }
}

}  // namespace
}  // namespace embedding
