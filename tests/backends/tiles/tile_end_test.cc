// Ends of tiles that are done between AMX's products give what they give by calls.
#include "backends/cpu/tile_end.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "backends/cpu/add_bias.h"
#include "backends/cpu/amx_tiles.h"
#include "backends/cpu/cpu_extensions.h"
#include "backends/cpu/int8_linear.h"
#include "backends/cpu/sliced_linear.h"
#include "backends/cpu/slices.h"
#include "backends/tiles/emulated_instructions.h"
#include "base/aligned_buffer.h"
#include "base/half.h"

namespace embedding {
namespace {

constexpr size_t kWidth = 32;    // of a panel
constexpr size_t kColumns = 96;  // of the output
constexpr size_t kOutputRows = 64;

// A tile that is multiplied, and another one that ends meanwhile.
class Tiles {
 public:
  // The sums are of integers or of floating-point numbers.
  Tiles(size_t words, bool integers)
      : words_(words),
        sums_(kSlices * kWidth * kWidth),
        left_(kWidth * words * 4),
        right_(left_.size()),
        inputs_(kWidth) {
    std::minstd_rand random(3);
    std::uniform_real_distribution<float> number(-6, 6);
    for (float& sum : sums_.span()) {
      sum = number(random);
      const auto whole = static_cast<int32_t>(sum * 1000);
      if (integers) std::memcpy(&sum, &whole, sizeof(sum));
    }
    for (AlignedBuffer<float>* const of_columns : {&bias_, &scales_, &weight_sums_}) {
      of_columns->Resize(kWidth);
      for (float& x : of_columns->span()) x = number(random);
    }
    for (RowScale& input : inputs_) {
      input = {number(random) / 1000, static_cast<int32_t>(random() % 256)};
    }
    for (AlignedBuffer<uint8_t>* const side : {&left_, &right_}) {
      for (size_t i = 0; i < side->size(); i += 2) {
        const BFloat16 small(number(random));
        std::memcpy(side->data() + i, &small, sizeof(small));
      }
    }
  }

  TileEnd End(Activation activation, size_t outputs, size_t column, bool in_tiles,
              std::vector<float>& output) const {
    output.assign(kOutputRows * kColumns, 0.0F);
    return {.columns = {bias_.data(), activation, kWidth, outputs},
            .place = {{output.data(), kOutputRows, kColumns, in_tiles}, 16, column},
            .sums = sums_.data(),
            .inputs = inputs_.data(),
            .scales = scales_.data(),
            .weight_sums = weight_sums_.data(),
            .next_sums = kWidth * kWidth};
  }

  std::vector<float> Multiply(void (*multiply)(const PanelTile&), size_t rows,
                              const WorkBeside& beside) const {
    AlignedBuffer<float> product(kWidth * kWidth);
    multiply({.left = left_.data(),
              .left_stride = words_ * 4,
              .rows = rows,
              .depth = words_,
              .right = right_.data(),
              .sums = reinterpret_cast<uint8_t*>(product.data()),
              .accumulate = false,
              .left_block = kTileRows * words_ * 4,
              .beside = beside});
    return {product.data(), product.data() + rows * kWidth};
  }

 private:
  const size_t words_;
  AlignedBuffer<float> sums_;
  AlignedBuffer<float> bias_;
  AlignedBuffer<float> scales_;
  AlignedBuffer<float> weight_sums_;
  AlignedBuffer<uint8_t> left_;
  AlignedBuffer<uint8_t> right_;
  std::vector<RowScale> inputs_;
};

bool HaveAmx() {
#if defined(__x86_64__)
  if (BiasEnds(DType::kF32, Activation::kIdentity, false).multiply_by_amx == nullptr) return false;
  if (MayUse(kX86Amx)) return true;
  if (CanEmulateInstructions()) EmulateInstructions();
  return CanEmulateInstructions();
#else
  return false;
#endif
}

struct Product {
  TileEndFunctions (*ends)(DType type, Activation activation, bool gated);
  bool integers;
};

void Check(const Product& product, DType type, Activation activation, bool gated) {
  const TileEndFunctions functions = product.ends(type, activation, gated);
  if (functions.multiply_by_amx == nullptr) return;  // it is done by calls
  const size_t whole = gated ? kWidth / 2 : kWidth;
  const size_t column = gated ? 48 : 32;
  for (const size_t words : {size_t{48}, size_t{256}}) {
    const Tiles tiles(words, product.integers);
    for (const size_t outputs : {whole, whole - 12, size_t{5}}) {
      for (const bool in_tiles : {false, type == DType::kBF16 && outputs == whole}) {
        for (const size_t rows : {size_t{1}, size_t{17}, size_t{32}}) {
          SCOPED_TRACE(testing::Message() << outputs << " outputs of " << rows << " rows beside "
                                          << words << " words" << (in_tiles ? ", in tiles" : ""));
          std::vector<float> expected;
          const TileEnd by_calls = tiles.End(activation, outputs, column, in_tiles, expected);
          functions.run(&by_calls, 0, rows);
          for (const size_t of_product : {size_t{5}, size_t{32}}) {
            std::vector<float> got;
            const TileEnd in_place = tiles.End(activation, outputs, column, in_tiles, got);
            tiles.Multiply(functions.multiply_by_amx, of_product, {functions.run, &in_place, rows});
            ASSERT_EQ(got, expected);
          }
        }
      }
    }
  }
}

TEST(TileEnd, IsTheSameBetweenProductsAsByCalls) {
  if (!HaveAmx()) GTEST_SKIP() << "there is no AMX here, nor can it be emulated";
  for (const Product& product :
       {Product{BiasEnds, false}, Product{Int8Ends, true}, Product{SlicedEnds, true}}) {
    for (const DType type : {DType::kF32, DType::kBF16}) {
      for (const Activation activation :
           {Activation::kIdentity, Activation::kGelu, Activation::kSilu, Activation::kTanh}) {
        for (const bool gated : {false, true}) {
          SCOPED_TRACE(testing::Message()
                       << DTypeBytes(type) << " bytes, activation " << static_cast<int>(activation)
                       << (gated ? ", gated" : ""));
          Check(product, type, activation, gated);
        }
      }
    }
  }
}

// What is multiplied is not disturbed by what ends beside it.
TEST(TileEnd, LeavesTheProductAsItIs) {
#if defined(__x86_64__)
  if (!HaveAmx()) GTEST_SKIP() << "there is no AMX here, nor can it be emulated";
  const TileEndFunctions functions = BiasEnds(DType::kF32, Activation::kGelu, false);
  const Tiles tiles(256, false);
  for (const size_t rows : {size_t{5}, size_t{20}, size_t{32}}) {
    std::vector<float> output;
    const TileEnd end = tiles.End(Activation::kGelu, kWidth, 32, false, output);
    EXPECT_EQ(tiles.Multiply(functions.multiply_by_amx, rows, {functions.run, &end, 32}),
              tiles.Multiply(MultiplyBf16ByAmx, rows, {}));
  }
  ReleaseAmx();
#else
  GTEST_SKIP() << "of x86-64 alone";
#endif
}

}  // namespace
}  // namespace embedding
