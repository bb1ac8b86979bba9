#include "backends/cpu/tile_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <random>
#include <vector>

#include "backends/cpu/amx_tiles.h"
#include "backends/cpu/cpu_extensions.h"
#include "backends/cpu/x86_tiles.h"
#include "backends/tiles/emulated_instructions.h"
#include "backends/tiles/portable_tiles.h"
#include "base/aligned_buffer.h"
#include "base/half.h"

namespace embedding {
namespace {

constexpr size_t kWidth = 32;
constexpr size_t kMostRows = 32;

using Multiply = void (*)(const PanelTile&);

// A product's parts, of numbers that both kinds of words can be read as.
struct Product {
  Product(size_t row_count, size_t words, bool of_bf16) : rows(row_count), depth(words) {
    std::minstd_rand random(static_cast<unsigned>(rows + depth));
    const auto fill = [&](AlignedBuffer<uint8_t>& bytes, size_t size) {
      bytes.Resize(size);
      for (size_t i = 0; i < size; i += 2) {
        const auto number = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
        const uint16_t bits =
            of_bf16 ? BFloat16(number).bits : static_cast<uint16_t>(random() % 65536);
        std::memcpy(bytes.data() + i, &bits, sizeof(bits));
      }
    };
    fill(left, kMostRows * depth * 4);
    fill(right, depth * kWidth * 4);
    sums.Resize(kMostRows * kWidth);
  }

  // Rows lie as `left_stride`, step and block say.
  const std::vector<float>& Run(Multiply multiply, bool accumulate, const WorkBeside& beside = {},
                                Once once = Once::kNeither) {
    PanelTile tile = {.left = left.data(),
                      .left_stride = depth * 4,
                      .rows = rows,
                      .depth = depth,
                      .right = right.data(),
                      .sums = reinterpret_cast<uint8_t*>(sums.data()),
                      .accumulate = accumulate};
    tile.left_block = kTileRows * tile.left_stride;
    tile.beside = beside;
    tile.once = once;
    multiply(tile);
    result.assign(sums.data(), sums.data() + rows * kWidth);
    return result;
  }

  double ExactBf16(size_t row, size_t column) const {
    double sum = 0;
    for (size_t i = 0; i < 2 * depth; ++i) {
      BFloat16 x;
      BFloat16 w;
      std::memcpy(&x, left.data() + row * depth * 4 + i * 2, 2);
      std::memcpy(&w, right.data() + (i / 2 * kWidth + column) * 4 + i % 2 * 2, 2);
      sum += static_cast<double>(static_cast<float>(x)) * static_cast<float>(w);
    }
    return sum;
  }
  int32_t ExactInt8(size_t row, size_t column) const { return Exact<uint8_t>(row, column); }
  int32_t ExactDigits(size_t row, size_t column) const { return Exact<int8_t>(row, column); }

  size_t rows;
  size_t depth;
  AlignedBuffer<uint8_t> left;
  AlignedBuffer<uint8_t> right;
  AlignedBuffer<float> sums;  // or int32_t
  std::vector<float> result;

 private:
  template <typename Left>
  int32_t Exact(size_t row, size_t column) const {
    int32_t sum = 0;
    for (size_t i = 0; i < 4 * depth; ++i) {
      const auto x = static_cast<Left>(left[row * depth * 4 + i]);
      sum += x * static_cast<int8_t>(right[(i / 4 * kWidth + column) * 4 + i % 4]);
    }
    return sum;
  }
};

int32_t Bits(float number) {
  int32_t bits = 0;
  std::memcpy(&bits, &number, sizeof(bits));
  return bits;
}

// The portable tiles, and AMX, which the processor has or not.
struct Way {
  Multiply bf16;
  Multiply int8;
  Multiply digits;
  void (*sliced)(const SlicedTile&);
};
std::vector<Way> Ways() {
  std::vector<Way> ways = {{MultiplyBf16ByPortableTiles, MultiplyInt8ByPortableTiles,
                            MultiplyDigitsByPortableTiles, MultiplySlicedByPortableTiles}};
#if defined(__x86_64__)
  const bool has_amx = MayUse(kX86Amx);
  if (!has_amx && CanEmulateInstructions()) EmulateInstructions();
  if (has_amx || CanEmulateInstructions()) {
    ways.push_back(
        {MultiplyBf16ByAmx, MultiplyInt8ByAmx, MultiplyDigitsByAmx, MultiplySlicedByAmx});
  }
#endif
  return ways;
}

TEST(TileKernel, GivesTheProductsSums) {
  for (const Way& way : Ways()) {
    for (const size_t rows : std::initializer_list<size_t>{1, 15, 16, 17, 31, 32}) {
      for (const size_t depth : std::initializer_list<size_t>{16, 64}) {
        SCOPED_TRACE(testing::Message() << rows << " rows of " << depth << " words");
        Product bf16(rows, depth, true);
        Product int8(rows, depth, false);
        for (const int times : {1, 2}) {  // the second time added to the first
          const std::vector<float>& of_bf16 = bf16.Run(way.bf16, times > 1);
          const std::vector<float>& of_int8 = int8.Run(way.int8, times > 1);
          for (size_t i = 0; i < rows * kWidth; ++i) {
            const size_t row = i / kWidth;
            const size_t column = i % kWidth;
            ASSERT_NEAR(of_bf16[i], times * bf16.ExactBf16(row, column),
                        1e-5 * static_cast<double>(depth));
            ASSERT_EQ(Bits(of_int8[i]), times * int8.ExactInt8(row, column));
          }
        }
      }
    }
  }
}

// Of slices.h: both sides are signed.
TEST(TileKernel, GivesTheSumsOfDigits) {
  for (const Way& way : Ways()) {
    for (const size_t rows : std::initializer_list<size_t>{1, 16, 17, 32}) {
      Product product(rows, 32, false);
      for (const int times : {1, 2}) {
        const std::vector<float>& sums = product.Run(way.digits, times > 1);
        for (size_t i = 0; i < rows * kWidth; ++i) {
          ASSERT_EQ(Bits(sums[i]), times * product.ExactDigits(i / kWidth, i % kWidth)) << i;
        }
      }
    }
  }
}

// Rows or words that are not loaded again soon are multiplied like others.
// Digit i of column c: of a step's 64 those of 4 lie together, column by column.
TEST(TileKernel, GivesTheThreeSumsOfNumbersInSlices) {
  constexpr size_t kColumns = 16;
  for (const Way& way : Ways()) {
    for (const size_t steps : std::initializer_list<size_t>{1, 2, 4}) {
      const size_t digits = steps * kTileRowBytes;
      const size_t stride = 3 * digits + kTileRowBytes;  // rows need not be side by side
      std::minstd_rand random(static_cast<unsigned>(steps));
      AlignedBuffer<uint8_t> left(kMostRows * stride);
      AlignedBuffer<uint8_t> right(3 * digits * kColumns);
      for (uint8_t& digit : left.span()) digit = static_cast<uint8_t>(random());
      for (uint8_t& digit : right.span()) digit = static_cast<uint8_t>(random());
      AlignedBuffer<int32_t> sums(3 * kMostRows * kColumns);
      way.sliced({.left = left.data(),
                  .left_stride = stride,
                  .left_place = digits,
                  .right = right.data(),
                  .right_place = digits * kColumns,
                  .steps = steps,
                  .sums = sums.data()});
      for (size_t row = 0; row < kMostRows; ++row) {
        for (size_t column = 0; column < kColumns; ++column) {
          int32_t exact[3] = {};
          for (size_t i = 0; i < digits; ++i) {
            for (size_t a = 0; a < 3; ++a) {
              for (size_t b = 0; a + b < 3; ++b) {
                const auto x = static_cast<int8_t>(left[row * stride + a * digits + i]);
                const auto y = static_cast<int8_t>(
                    right[b * digits * kColumns + (i / 4 * kColumns + column) * 4 + i % 4]);
                exact[a + b] += x * y;
              }
            }
          }
          for (size_t sum = 0; sum < 3; ++sum) {
            ASSERT_EQ(sums[(sum * kMostRows + row) * kColumns + column], exact[sum])
                << steps << " steps, row " << row << ", column " << column << ", sum " << sum;
          }
        }
      }
    }
  }
}

TEST(TileKernel, GivesTheSameOfWhatIsLoadedOnce) {
  for (const Way& way : Ways()) {
    for (const size_t rows : std::initializer_list<size_t>{5, 32}) {
      Product product(rows, 64, true);
      const std::vector<float> expected = product.Run(way.bf16, false);
      for (const Once once : {Once::kLeft, Once::kRight}) {
        EXPECT_EQ(product.Run(way.bf16, false, {}, once), expected);
      }
    }
  }
}

TEST(TileKernel, DoesTheWorkBesideOnce) {
  for (const Way& way : Ways()) {
    for (const size_t steps : std::initializer_list<size_t>{1, 3, 32, 50}) {
      for (const size_t work_rows : std::initializer_list<size_t>{1, 20, 32}) {
        Product product(20, 16 * steps, true);
        std::vector<int> done(work_rows);
        const auto count = [](const void* work, size_t begin, size_t end) {
          auto* const times = static_cast<int*>(const_cast<void*>(work));
          for (size_t i = begin; i < end; ++i) ++times[i];
        };
        product.Run(way.bf16, false, {count, done.data(), work_rows});
        EXPECT_EQ(done, std::vector<int>(work_rows, 1));
      }
    }
  }
}

// What is tested with the stand-in holds with AMX: its sums of bf16 are the same in every bit.
TEST(TileKernel, IsWithAmxWhatItIsWithoutIt) {
  const std::vector<Way> ways = Ways();
  if (ways.size() == 1) GTEST_SKIP() << "there is no AMX here, nor can it be emulated";
  Product product(32, 512, true);
  const std::vector<float> expected = product.Run(ways[0].bf16, false);
  EXPECT_EQ(product.Run(ways[1].bf16, false), expected);
}

// Also when the next product has as many rows.
TEST(TileKernel, IsConfiguredAnewAfterItHasBeenReleased) {
#if defined(__x86_64__)
  if (Ways().size() == 1) GTEST_SKIP() << "there is no AMX here, nor can it be emulated";
  Product product(20, 16, true);
  const std::vector<float> before = product.Run(MultiplyBf16ByAmx, false);
  ReleaseAmx();
  ReleaseAmx();
  EXPECT_EQ(product.Run(MultiplyBf16ByAmx, false), before);
  ReleaseAmx();
#else
  GTEST_SKIP() << "of x86-64 alone";
#endif
}

// By AVX-VNNI's, which the processor has or not.
TEST(AvxVnniTile, GivesTheProductsSums) {
#if defined(__x86_64__)
  constexpr size_t kColumns = kAvxVnniTileWidth;
  if ((CpuExtensionsPresent() & kX86AvxVnni) == 0) {
    if (!CanEmulateInstructions() || __builtin_cpu_supports("avx2") == 0) {
      GTEST_SKIP() << "there is no AVX-VNNI here, nor can it be emulated";
    }
    EmulateInstructions();
  }
  for (size_t rows = 1; rows <= kAvxVnniTileRows; ++rows) {
    for (const size_t depth : std::initializer_list<size_t>{1, 4, 67}) {
      AlignedBuffer<uint8_t> left(rows * depth * 4);
      AlignedBuffer<uint8_t> right(depth * kColumns * 4);
      AlignedBuffer<int32_t> sums(rows * kColumns);
      std::minstd_rand random(7);
      for (uint8_t& x : left.span()) x = static_cast<uint8_t>(random());
      for (uint8_t& w : right.span()) w = static_cast<uint8_t>(random());
      for (const int times : {1, 2}) {
        MultiplyInt8QuadsByAvxVnni({.left = left.data(),
                                    .left_stride = depth * 4,
                                    .rows = rows,
                                    .depth = depth,
                                    .right = right.data(),
                                    .sums = reinterpret_cast<uint8_t*>(sums.data()),
                                    .accumulate = times > 1});
        for (size_t i = 0; i < sums.size(); ++i) {
          int32_t expected = 0;
          for (size_t k = 0; k < 4 * depth; ++k) {
            const uint8_t w = right[(k / 4 * kColumns + i % kColumns) * 4 + k % 4];
            expected += left[i / kColumns * depth * 4 + k] * static_cast<int8_t>(w);
          }
          ASSERT_EQ(sums[i], times * expected) << rows << " rows of " << depth << " words";
        }
      }
    }
  }
#else
  GTEST_SKIP() << "of x86-64 alone";
#endif
}

}  // namespace
}  // namespace embedding
