// Numbers of rows are rounded up to few: cuBLASLt chooses a kernel for each, and a graph is kept
// for each. What is computed of the rows that fill up is of no interest.
#pragma once

#include <cstddef>

namespace embedding {

// At most a quarter more than `rows`, an eighth from 1,024 on, or 15.
constexpr size_t RoundUpRows(size_t rows) {
  const size_t step = rows <= 256 ? 16 : rows <= 1024 ? 64 : 128;
  return (rows + step - 1) / step * step;
}

}  // namespace embedding
