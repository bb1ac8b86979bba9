// Numbers of rows are rounded up to few: cuBLASLt chooses a kernel for each, and a graph is kept
// for each. What is computed of the rows that fill up is of no interest.
#pragma once

#include <algorithm>
#include <cstddef>

namespace embedding {

// At most a quarter more than `rows`, an eighth from 1,024 on, or 15.
constexpr size_t RoundUpRows(size_t rows) {
  const size_t step = rows <= 256 ? 16 : rows <= 1024 ? 64 : 128;
  return (rows + step - 1) / step * step;
}

// For fewer rows the library's best kernels split sums, which is not wanted (cuda_products.h);
// those for so many do not, and are faster than what is left for fewer: 25 us for the four products
// of a layer of bge-m3's size on an H200, and 45 to 115 for 16 to 128 rows.
constexpr size_t kMinProductRows = 192;

// Of a product of `rows` rows; 0 for none.
constexpr size_t ProductRows(size_t rows) {
  return rows == 0 ? 0 : std::max(kMinProductRows, RoundUpRows(rows));
}

}  // namespace embedding
