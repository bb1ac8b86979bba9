// Ends of tiles that are done between AMX's products give what they give by calls.
#include "backends/cpu/tile_end.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <random>
#include <vector>

#include "backends/cpu/add_bias.h"
#include "backends/cpu/amx_tiles.h"
#include "backends/cpu/cpu_extensions.h"
#include "backends/tiles/emulated_instructions.h"
#include "base/aligned_buffer.h"
#include "base/half.h"

namespace embedding {
namespace {

constexpr size_t kWidth = 32;    // of a panel
constexpr size_t kColumns = 96;  // of the output
constexpr size_t kOutputRows = 64;
constexpr size_t kWords = 48;  // of the product beside

void Fill(std::minstd_rand& random, AlignedBuffer<float>& numbers) {
  std::uniform_real_distribution<float> number(-6, 6);
  for (float& x : numbers.span()) x = number(random);
}

// A tile that is multiplied, and another one that ends meanwhile.
class Tiles {
 public:
  Tiles()
      : sums_(kWidth * kWidth), bias_(kWidth), left_(kWidth * kWords * 4), right_(left_.size()) {
    std::minstd_rand random(3);
    Fill(random, sums_);
    Fill(random, bias_);
    for (AlignedBuffer<uint8_t>* const side : {&left_, &right_}) {
      for (size_t i = 0; i < side->size(); i += 2) {
        const BFloat16 number(static_cast<float>(random() % 100) / 50 - 1);
        std::memcpy(side->data() + i, &number, sizeof(number));
      }
    }
  }

  TileEnd End(Activation activation, bool gated, size_t outputs, bool in_tiles,
              std::vector<float>& output) const {
    output.assign(kOutputRows * kColumns, 0.0F);
    return {.columns = {bias_.data(), activation, kWidth, outputs, gated},
            .place = {{output.data(), kOutputRows, kColumns, in_tiles}, 16, 32},
            .sums = sums_.data()};
  }

  std::vector<float> Multiply(void (*multiply)(const PanelTile&), size_t rows,
                              const WorkBeside& beside) const {
    AlignedBuffer<float> product(kWidth * kWidth);
    multiply({.left = left_.data(),
              .left_stride = kWords * 4,
              .rows = rows,
              .depth = kWords,
              .right = right_.data(),
              .sums = reinterpret_cast<uint8_t*>(product.data()),
              .accumulate = false,
              .left_block = kTileRows * kWords * 4,
              .beside = beside});
    return {product.data(), product.data() + rows * kWidth};
  }

 private:
  AlignedBuffer<float> sums_;
  AlignedBuffer<float> bias_;
  AlignedBuffer<uint8_t> left_;
  AlignedBuffer<uint8_t> right_;
};

TEST(TileEnd, IsTheSameBetweenProductsAsByCalls) {
#if defined(__x86_64__)
  if (AddBias(DType::kF32, Activation::kIdentity, false).multiply_by_amx == nullptr) {
    GTEST_SKIP() << "the processor has no AVX-512";
  }
  if (!MayUse(kX86Amx)) {
    if (!CanEmulateInstructions()) GTEST_SKIP() << "there is no AMX here, nor can it be emulated";
    EmulateInstructions();
  }
  const Tiles tiles;
  for (const DType type : {DType::kF32, DType::kBF16}) {
    for (const Activation activation : {Activation::kIdentity, Activation::kGelu, Activation::kSilu,
                                        Activation::kTanh, Activation::kRelu}) {
      for (const bool gated : {false, true}) {
        const TileEndFunctions functions = AddBias(type, activation, gated);
        const size_t whole = gated ? kWidth / 2 : kWidth;
        for (const size_t outputs : {whole, size_t{5}}) {
          for (const bool in_tiles : {false, type == DType::kBF16 && outputs == whole}) {
            for (const size_t rows : std::initializer_list<size_t>{1, 17, 32}) {
              SCOPED_TRACE(testing::Message()
                           << DTypeBytes(type) << " bytes, activation "
                           << static_cast<int>(activation) << (gated ? ", gated, " : ", ")
                           << outputs << " outputs of " << rows << " rows"
                           << (in_tiles ? ", in tiles" : ""));
              std::vector<float> expected;
              const TileEnd by_calls = tiles.End(activation, gated, outputs, in_tiles, expected);
              functions.run(&by_calls, 0, rows);
              for (const size_t of_product : std::initializer_list<size_t>{5, 20, 32}) {
                std::vector<float> got;
                const TileEnd in_place = tiles.End(activation, gated, outputs, in_tiles, got);
                const std::vector<float> product = tiles.Multiply(
                    functions.multiply_by_amx, of_product, {functions.run, &in_place, rows});
                EXPECT_EQ(got, expected);
                EXPECT_EQ(product, tiles.Multiply(MultiplyBf16ByAmx, of_product, {}));
              }
            }
          }
        }
      }
    }
  }
  ReleaseAmx();
#else
  GTEST_SKIP() << "of x86-64 alone";
#endif
}

}  // namespace
}  // namespace embedding
