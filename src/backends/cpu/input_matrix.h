// InputMatrix: rows of numbers in the form that products multiply (linear.h), [rows, columns].
//
// Thread-safety: different rows may be set by several threads at a time.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "backends/cpu/linear.h"
#include "base/aligned_buffer.h"
#include "base/half.h"

namespace embedding {

class InputMatrix {
 public:
  // For products by a weight of this type, LinearTypes::weight.
  explicit InputMatrix(DType weight) : weight_(weight), type_(LinearTypes{weight}.input()) {}

  // What was there is lost. Throws std::bad_alloc.
  void Resize(size_t rows, size_t columns);
  // Row `row` becomes x, [columns], rounded. Integers q lie in [0, 255], or as far
  // lower as Int8Kernel() takes them: a row's numbers in 255 steps from the least to the largest, 0
  // being among them. f32 numbers are in slices where products take those. A row with a number that
  // is not finite has a scale that is none either.
  void Set(size_t row, const float* x);
  void Set(size_t row, const BFloat16* x);  // of kBF16 and kI8
  // `first` is a multiple of kTileRows where rows are in the order of tiles.
  InputView View(size_t first, size_t rows) const {
    assert(!in_tiles_ || first % kTileRows == 0);
    return {bytes_.data() + first * stride_, rows, stride_,
            has_scales() ? scales_.data() + first : nullptr, in_tiles_};
  }

  // Where a product writes so many rows of kBF16 itself, in the order of tiles.
  OutputView Output(size_t rows) { return {bytes_.data(), rows, columns_, in_tiles_}; }

  // Whether products by such a weight take rows of so many numbers in another form than side by
  // side.
  static bool Arranges(DType weight, size_t columns);

 private:
  // Row `row`, which is 0 behind its columns.
  RowBytes Row(size_t row);

  bool has_scales() const { return slice_bytes_ > 0 || type_ == DType::kI8; }

  const DType weight_;
  const DType type_;
  size_t columns_ = 0;
  size_t slice_bytes_ = 0;  // of a row in slices
  size_t stride_ = 0;       // bytes of a row, of which the last `behind_` are 0
  size_t behind_ = 0;
  bool in_tiles_ = false;
  // Of an integer: its bytes, and what is taken off it.
  size_t integer_bytes_ = 0;
  int32_t shift_ = 0;
  AlignedBuffer<uint8_t> bytes_;    // [rows, in whole tiles][stride]
  AlignedBuffer<RowScale> scales_;  // [rows], where has_scales()
};

// Rows that one pass writes as numbers of one type, kF32 or kBF16, and a product takes as those of
// another, or in another order.
class Handover {
 public:
  // Who writes: a product, which can write in any order, or somebody to whom rows lie side by side.
  enum class Writer { kProduct, kRows };

  // `weight`: of who takes them, LinearTypes::weight.
  Handover(DType written, DType weight, Writer writer)
      : written_type_(written), writer_(writer), weight_(weight), taken_(weight) {}

  // As InputMatrix's Resize.
  void Resize(size_t rows, size_t columns);
  // Where a product writes so many rows.
  OutputView Output(size_t rows) {
    return way_ == Way::kInTiles ? taken_.Output(rows) : OutputView{data(), rows, columns_};
  }
  // [rows, columns], to be written by Writer::kRows.
  void* data() { return written_.data(); }
  // The end of the pass that writes them.
  RowEpilogue Epilogue();
  InputView View(size_t first, size_t rows) const {
    const size_t stride = columns_ * DTypeBytes(written_type_);
    return way_ == Way::kAsTheyAre
               ? InputView(written_.data() + first * stride, rows, stride, nullptr)
               : taken_.View(first, rows);
  }

 private:
  // How rows come from who writes them to who takes them: as one wrote them, in the order of tiles
  // from the start, or by another pass.
  enum class Way { kAsTheyAre, kInTiles, kArranged };

  const DType written_type_;
  const Writer writer_;
  const DType weight_;
  size_t columns_ = 0;
  Way way_ = Way::kAsTheyAre;
  AlignedBuffer<uint8_t> written_;  // [rows, columns], unless they are written in tiles
  InputMatrix taken_;               // unless they are taken as they are
};

}  // namespace embedding
