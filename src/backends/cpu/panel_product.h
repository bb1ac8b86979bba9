// How every matrix product of this project's own runs: by outer products, after Goto and van de
// Geijn (2008), "Anatomy of High-Performance Matrix Multiplication", for a weight that is packed
// once.
//
// The weight is packed in panels: panel p holds the weights of output features [p * width,
// (p + 1) * width), input feature by input feature. A kernel keeps the sums of a few rows and one
// panel in registers and adds, feature by feature, the outer product of the rows' inputs and the
// panel's weights. Kernels differ in what they multiply: an f32, two bf16, four 8-bit integers and
// so on, each a word of 32 or 64 bits. So they see inputs and weights as words, and everything
// around them is the same.
//
// Thread-safety: of functions that do not share what they write to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "backends/cpu/linear.h"
#include "backends/cpu/micro_kernels.h"
#include "backends/cpu/parallel.h"
#include "backends/cpu/tile_end.h"
#include "base/aligned_buffer.h"

namespace embedding {

struct PackedWeight {
  size_t depth = 0;  // words of an input row
  size_t panels = 0;
  AlignedBuffer<uint8_t> bytes;  // [panels][depth][width] stored words
};

// Which output feature of a weight a packed column holds. Of a gated product (linear.h) a panel
// holds in its first half features of the gate, in its second the same features of what is gated,
// for a tile to have both.
struct PackedColumns {
  PackedColumns(size_t panel_width, size_t features, bool is_gated)
      : width(panel_width), outputs(is_gated ? features / 2 : features), gated(is_gated) {}

  // Numbers that a panel writes of a row of the output.
  size_t panel_outputs() const { return gated ? width / 2 : width; }
  // What panel `panel` does, its bias being there.
  TileColumns of(size_t panel, const float* bias, Activation activation) const {
    const size_t first = panel * panel_outputs();
    return {bias, activation, width, std::min(panel_outputs(), outputs - first)};
  }
  // All of them, up to the end of the last panel.
  size_t size() const { return (outputs + panel_outputs() - 1) / panel_outputs() * width; }
  // Nothing where the last panel is not full.
  std::optional<size_t> feature(size_t column) const {
    const size_t in_panel = column % width;
    const size_t output = column / width * panel_outputs() + in_panel % panel_outputs();
    if (output >= outputs || in_panel >= (gated ? 2 : 1) * panel_outputs()) return std::nullopt;
    return in_panel < panel_outputs() ? output : outputs + output;
  }

  size_t width;    // of a panel
  size_t outputs;  // numbers of a row of the output
  bool gated;
};

// Writes `words` consecutive stored words to one column of a panel.
void SpreadWords(const void* from, size_t words, const MicroKernel& kernel, uint8_t* to);

// A weight of so many columns, rows of torch's [out_features, in_features], in the kernel's layout.
// fill(column, first, count, to) writes what is stored of `count` input features, T's of which
// `group` are a stored word. What it leaves out, and what the last panel and the last word have
// beyond the weight, is 0.
template <typename T, typename Fill>
PackedWeight PackPanels(ThreadTeam& team, const MicroKernel& kernel, size_t in_features,
                        size_t column_count, const Fill& fill) {
  PackedWeight packed;
  packed.depth = kernel.depth(in_features);
  packed.panels = (column_count + kernel.width - 1) / kernel.width;
  const size_t panel_bytes = packed.depth * kernel.width * kernel.stored_bytes;
  packed.bytes.Resize(packed.panels * panel_bytes);
  ParallelFor(team, packed.panels, [&](size_t panel) {
    uint8_t* out = packed.bytes.data() + panel * panel_bytes;
    const size_t first_column = panel * kernel.width;
    const size_t columns = std::min(kernel.width, column_count - first_column);
    if (columns < kernel.width) std::fill_n(out, panel_bytes, uint8_t{0});
    // A few words of every feature in turn: the lines of both sides stay in the cache.
    constexpr size_t kWords = 16;
    constexpr size_t kMaxGroup = 8;
    for (size_t word = 0; word < packed.depth; word += kWords) {
      const size_t words = std::min(kWords, packed.depth - word);
      for (size_t c = 0; c < columns; ++c) {
        T row[kWords * kMaxGroup] = {};
        const size_t first = word * kernel.group;
        if (first < in_features) {
          fill(first_column + c, first, std::min(words * kernel.group, in_features - first), row);
        }
        SpreadWords(row, words, kernel, out + (word * kernel.width + c) * kernel.stored_bytes);
      }
    }
  });
  return packed;
}

// What is done to the finished sums of a tile, on any thread of the team: `run` of TileEndFunctions
// with what set(panel, row, sums, end) writes, the tile being that of input rows from `row` on and
// output features [panel * width, ...). `sums` are [rows][width]; where the kernel has several,
// MicroKernel::sums, the others come after the most rows that a tile has.
struct TileFinisher {
  std::function<void(size_t panel, size_t row, const void* sums, TileEnd& end)> set;
  void (*run)(const void* tile_end, size_t begin, size_t end);
};

// `kernel` with the ends in place, if it can have them there.
inline MicroKernel WithEnds(MicroKernel kernel, const TileEndFunctions& ends) {
  if (kernel.amx && ends.multiply_by_amx != nullptr) kernel.multiply = ends.multiply_by_amx;
  return kernel;
}

// Multiplies the input's rows, of the weight's depth in words (1 or more), by the weight. When all
// tiles are done, `row_epilogue` is given the rows.
//
// Every sum takes its terms in the order of the features, whatever the number of rows: a row's
// result does not depend on its batch.
void MultiplyPanels(ThreadTeam& team, const MicroKernel& kernel, const PackedWeight& weight,
                    const InputView& input, const TileFinisher& finisher,
                    const RowEpilogue& row_epilogue);

}  // namespace embedding
