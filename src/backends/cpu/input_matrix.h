// InputMatrix: rows of numbers in the form that products multiply (linear.h), [rows, columns].
//
// Thread-safety: different rows may be set by several threads at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/linear.h"
#include "base/aligned_buffer.h"
#include "base/half.h"

namespace embedding {

class InputMatrix {
 public:
  // Of kF32, kBF16 or kI8.
  explicit InputMatrix(DType type) : type_(type) {}

  // What was there is lost. Throws std::bad_alloc.
  void Resize(size_t rows, size_t columns);
  // Row `row` becomes x, [columns], rounded. Integers q lie in [0, 255], or as far
  // lower as Int8Kernel() takes them: a row's numbers in 255 steps from the least to the largest, 0
  // being among them; a row with a number that is not finite has a scale that is none either.
  void Set(size_t row, const float* x);
  void Set(size_t row, const BFloat16* x);  // of kI8
  // The rows, for who writes numbers of kF32 or kBF16 itself.
  void* data() { return bytes_.data(); }
  InputView View(size_t first, size_t rows) const {
    return {bytes_.data() + first * stride_, rows, stride_,
            type_ == DType::kI8 ? scales_.data() + first : nullptr};
  }

 private:
  // Of row `row`. The last one of integers is 0, for the columns need not fill it.
  uint8_t* Words(size_t row);

  const DType type_;
  size_t columns_ = 0;
  size_t stride_ = 0;  // bytes
  // Of kI8: a word, an integer, and what is taken off each.
  size_t word_bytes_ = 0;
  size_t integer_bytes_ = 0;
  int32_t shift_ = 0;
  AlignedBuffer<uint8_t> bytes_;        // [rows][stride]
  AlignedBuffer<Int8RowScale> scales_;  // [rows], of kI8
};

// Rows that one pass writes as numbers of one type, kF32 or kBF16, and a product takes as those of
// another: the same, or kI8.
class Handover {
 public:
  Handover(DType written, DType taken)
      : written_type_(written), rounds_(written != taken), written_(written), rounded_(taken) {}

  // As InputMatrix's Resize.
  void Resize(size_t rows, size_t columns) {
    columns_ = columns;
    written_.Resize(rows, columns);
    if (rounds_) rounded_.Resize(rows, columns);
  }
  // [rows, columns], to be written.
  void* data() { return written_.data(); }
  // The end of the pass that writes them.
  RowEpilogue Epilogue();
  InputView View(size_t first, size_t rows) const {
    return rounds_ ? rounded_.View(first, rows) : written_.View(first, rows);
  }

 private:
  const DType written_type_;
  const bool rounds_;
  size_t columns_ = 0;
  InputMatrix written_;
  InputMatrix rounded_;  // where rounds_
};

}  // namespace embedding
