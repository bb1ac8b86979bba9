// InputMatrix: rows of numbers in the form that products multiply (linear.h), [rows, columns].
//
// Thread-safety: different rows may be set by several threads at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "backends/cpu/linear.h"
#include "base/aligned_buffer.h"
#include "base/half.h"

namespace embedding {

// In is float, BFloat16 or Int8.
template <typename In>
class InputMatrix {
 public:
  // What was there is lost. Throws std::bad_alloc.
  void Resize(size_t rows, size_t columns) {
    columns_ = columns;
    numbers_.Resize(rows * columns);
  }
  // Row `row` becomes x, [columns], rounded.
  void Set(size_t row, const float* x);
  // The rows from `row` on, for who writes In's itself.
  In* Row(size_t row) { return numbers_.data() + row * columns_; }
  MatrixView<const In> View(size_t first, size_t rows) const {
    return {numbers_.data() + first * columns_, rows, columns_};
  }

 private:
  size_t columns_ = 0;
  AlignedBuffer<In> numbers_;
};

template <>
void InputMatrix<float>::Set(size_t row, const float* x);
template <>
void InputMatrix<BFloat16>::Set(size_t row, const float* x);

// q lies in [0, 255]: a row's numbers in 255 steps from the least to the largest, 0 being among
// them. A row with a number that is not finite has a scale that is none either.
template <>
class InputMatrix<Int8> {
 public:
  void Resize(size_t rows, size_t columns);
  void Set(size_t row, const float* x);
  void Set(size_t row, const BFloat16* x);
  Int8MatrixView View(size_t first, size_t rows) const {
    return {words_.data() + first * stride_, stride_, scales_.data() + first, rows};
  }

 private:
  // Of row `row`. The last one is 0, for the columns need not fill it.
  uint8_t* Words(size_t row);

  static constexpr size_t kWordBytes = 4;

  size_t columns_ = 0;
  size_t group_ = 0;                    // integers in a word
  size_t stride_ = 0;                   // bytes
  AlignedBuffer<uint8_t> words_;        // [rows][stride]
  AlignedBuffer<Int8RowScale> scales_;  // [rows]
};

// Rows that one pass writes as T's, float or BFloat16, and a product takes as In's: T or Int8.
template <typename In, typename T>
class Handover {
 public:
  // As InputMatrix' Resize.
  void Resize(size_t rows, size_t columns) {
    written_.Resize(rows, columns);
    if constexpr (kRounds) rounded_.Resize(rows, columns);
  }
  // [rows, columns], to be written.
  T* data() { return written_.Row(0); }
  // The end of the pass that writes them.
  RowEpilogue Epilogue() {
    if constexpr (kRounds) {
      return [this](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) rounded_.Set(row, written_.Row(row));
      };
    } else {
      return {};
    }
  }
  InputView<In> View(size_t first, size_t rows) const {
    if constexpr (kRounds) {
      return rounded_.View(first, rows);
    } else {
      return written_.View(first, rows);
    }
  }

 private:
  static constexpr bool kRounds = !std::is_same_v<In, T>;

  InputMatrix<T> written_;
  InputMatrix<In> rounded_;  // where kRounds
};

}  // namespace embedding
