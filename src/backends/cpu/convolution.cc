#include "backends/cpu/convolution.h"

#include <algorithm>

#include "backends/cpu/parallel.h"
#include "backends/neighbours.h"

namespace embedding {

void ConvolutionBranch::Run(Linear& linear, std::span<const uint32_t> offsets, const float* x,
                            size_t chunk, ThreadTeam& team) {
  const size_t kernel = convolution_.kernel;
  const size_t tokens = offsets.back();
  PlaceNeighbours(convolution_, offsets, /*beyond=*/-1, rows_);
  branch_.Resize(tokens * hidden_size_);
  neighbours_.Resize(std::min(chunk, tokens), kernel * hidden_size_);
  for (size_t first = 0; first < tokens; first += chunk) {
    const size_t rows = std::min(chunk, tokens - first);
    ParallelRanges(team, rows, /*min_range=*/1, [&](size_t begin, size_t end) {
      thread_local AlignedBuffer<float> side_by_side;
      side_by_side.Resize(kernel * hidden_size_);
      for (size_t row = begin; row < end; ++row) {
        for (size_t k = 0; k < kernel; ++k) {
          float* const to = side_by_side.data() + k * hidden_size_;
          const int32_t from = rows_[(first + row) * kernel + k];
          if (from < 0) {
            std::fill_n(to, hidden_size_, 0.0F);
          } else {
            std::copy_n(x + static_cast<size_t>(from) * hidden_size_, hidden_size_, to);
          }
        }
        neighbours_.Set(row, side_by_side.data());
      }
    });
    linear.Run(neighbours_.View(0, rows),
               {branch_.data() + first * hidden_size_, rows, hidden_size_}, {});
  }
}

void ConvolutionBranch::Move(size_t from, size_t to, size_t count) {
  if (from == to) return;
  std::copy_n(branch_.data() + from * hidden_size_, count * hidden_size_,
              branch_.data() + to * hidden_size_);
}

}  // namespace embedding
