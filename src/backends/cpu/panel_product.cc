#include "backends/cpu/panel_product.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "backends/cpu/parallel.h"

namespace embedding {
namespace {

size_t CeilDivide(size_t n, size_t by) { return (n + by - 1) / by; }

template <typename Word>
void Spread(const void* from, size_t words, size_t width, uint8_t* to) {
  const auto* bytes = static_cast<const uint8_t*>(from);
  for (size_t i = 0; i < words; ++i) {
    std::memcpy(to + i * width * sizeof(Word), bytes + i * sizeof(Word), sizeof(Word));
  }
}

// A tile whose sums are finished, and whose end is done beside the next tile, of the same panel or
// not.
struct FinishedTile {
  TileEnd end;
  size_t rows = 0;  // 0 where there is none
};

// A part of what a panel's words are multiplied in: `depth` words of the rows, from `left` on, by
// those of the panel from `right` on.
struct Pass {
  size_t left;
  size_t right;
  size_t depth;
  size_t sums;      // which of a tile's
  bool accumulate;  // not the first of these sums
};

// A part of a row's words, of a slice where there are several.
struct DepthRange {
  size_t begin;
  size_t end;
};

// In which all rows pass by a panel's words, of each of its slices those of `range`, `block` words
// at a time. Of slices the input's digits lie by their places and the weight's the other way round;
// of S[i] are those whose places add up to i. Passes with the same words of the panel follow one
// another.
std::vector<Pass> PassesOf(size_t slice, size_t sums, DepthRange range, size_t block) {
  std::vector<Pass> passes;
  std::vector<bool> begun(sums, range.begin > 0);
  for (size_t place = 0; place < sums; ++place) {  // of the panel
    for (size_t first = range.begin; first < range.end; first += block) {
      const size_t words = std::min(block, range.end - first);
      for (size_t left = 0; left <= place; ++left) {
        const size_t of = sums - 1 - place + left;
        passes.push_back({left * slice + first, place * slice + first, words, of, begun[of]});
        begun[of] = true;
      }
    }
  }
  return passes;
}

// In which parts a product is computed.
struct Blocking {
  Blocking(const MicroKernel& kernel, const PackedWeight& weight, size_t all_rows,
           size_t team_size);

  // Of a group of rows, which a tile's are.
  size_t first_row(size_t group) const {
    return std::min(units * group / groups * rows_at_once, rows);
  }

  size_t rows;
  size_t rows_at_once;  // MicroKernel's
  // Groups of nearly the same size: a small last group would leave the multipliers idle.
  size_t groups;
  size_t units;  // of rows_at_once
  size_t threads;
  // A task is a panel and, where threads are too many for the panels or rows for the cache, a part
  // of the groups. What shares a part of the rows follows one another.
  size_t groups_of_part;
  size_t parts;
  size_t slice;  // words of a row, of each slice where there are several
  // Of these, those that all tasks are done with before the next ones.
  size_t depth_at_once;
  // And of those, the ones that a task's rows pass by before the next ones. Blocks are for what is
  // multiplied again: a panel's words by other rows, or by other digits of the same. One group of
  // tiles, alone, goes through all of them.
  size_t block;
  bool alone;
};

Blocking::Blocking(const MicroKernel& kernel, const PackedWeight& weight, size_t all_rows,
                   size_t team_size)
    : rows(all_rows),
      rows_at_once(kernel.rows_at_once),
      groups(CeilDivide(rows, kernel.rows)),
      units(CeilDivide(rows, rows_at_once)),
      slice(weight.depth / kernel.sums) {
  const size_t multiply_adds =
      units * rows_at_once * weight.depth * kernel.group * weight.panels * kernel.width;
  threads = std::clamp(multiply_adds / kernel.worth_a_thread, size_t{1}, team_size);

  const size_t row_bytes = kernel.sums * kernel.word_bytes;  // of each of the slice's words
  const size_t fitting =
      kernel.left_block_bytes / (std::min(rows, kernel.left_block_rows) * row_bytes);
  depth_at_once =
      std::min(slice, std::max(fitting / kernel.depth_block, size_t{1}) * kernel.depth_block);

  constexpr size_t kTasksPerThread = 4;
  const size_t for_threads = CeilDivide(kTasksPerThread * threads, weight.panels);
  const size_t for_cache = CeilDivide(rows * depth_at_once * row_bytes, kernel.left_block_bytes);
  groups_of_part =
      CeilDivide(groups, std::clamp(std::max(for_threads, for_cache), size_t{1}, groups));
  parts = CeilDivide(groups, groups_of_part);
  alone = kernel.tiles && groups_of_part == 1;
  block = std::min(depth_at_once, alone && kernel.sums == 1 ? depth_at_once : kernel.depth_block);
}

// What a thread goes from one task to the next with.
struct alignas(kCacheLineBytes) ThreadState {
  FinishedTile finished;
  size_t tile = 0;  // how many it has finished
};

}  // namespace

void SpreadWords(const void* from, size_t words, const MicroKernel& kernel, uint8_t* to) {
  if (kernel.stored_bytes == sizeof(uint16_t)) {
    Spread<uint16_t>(from, words, kernel.width, to);
  } else if (kernel.stored_bytes == sizeof(uint64_t)) {
    Spread<uint64_t>(from, words, kernel.width, to);
  } else {
    Spread<uint32_t>(from, words, kernel.width, to);
  }
}

void MultiplyPanels(ThreadTeam& team, const MicroKernel& kernel, const PackedWeight& weight,
                    const InputView& input, const TileFinisher& finisher,
                    const RowEpilogue& row_epilogue) {
  constexpr size_t kSumBytes = 4;
  const size_t rows = input.rows;
  const size_t stored_row = kernel.width * kernel.stored_bytes;  // of a panel
  const size_t panel_bytes = weight.depth * stored_row;

  const Blocking blocking(kernel, weight, rows, team.size());
  const size_t threads = blocking.threads;
  const size_t slice = blocking.slice;
  const bool whole_depth = blocking.depth_at_once == slice;
  const bool one_block = kernel.sums == 1 && blocking.block == slice;
  const size_t sum_bytes = kernel.rows * kernel.width * kSumBytes;
  const size_t tile_bytes = kernel.sums * sum_bytes;
  // Where one block is all, sums are finished at once, and a tile's stay in the L1 cache. Kernels
  // of tiles leave the last one's to be taken beside the next task's.
  const size_t kept_tiles = (one_block ? 1 : blocking.groups_of_part) + (kernel.tiles ? 1 : 0);
  const size_t sums_bytes = kept_tiles * tile_bytes;
  const size_t widened_bytes =
      kernel.widen != nullptr ? blocking.block * kernel.width * kernel.word_bytes : 0;
  const size_t thread_bytes = sums_bytes + widened_bytes;
  // What the team works in; the calling thread's, for all its products.
  thread_local AlignedBuffer<uint8_t> buffer;
  const size_t product_bytes = whole_depth ? 0 : weight.panels * blocking.groups * tile_bytes;
  buffer.Resize(product_bytes + threads * thread_bytes);
  // [panels][groups], where not all of the depth is multiplied at once.
  uint8_t* const product_sums = buffer.data();
  uint8_t* const scratch = product_sums + product_bytes;
  thread_local AlignedBuffer<ThreadState> state_buffer;
  state_buffer.Resize(threads);
  const std::span<ThreadState> states = state_buffer.span();
  std::fill(states.begin(), states.end(), ThreadState{});

  const auto* const left = static_cast<const uint8_t*>(input.data);
  const size_t left_stride = input.in_tiles ? kTileRowBytes : input.stride;
  const size_t left_step = input.in_tiles ? kTileRows * kTileRowBytes : kTileRowBytes;
  const auto left_at = [&](size_t row, size_t word) {
    const size_t byte = word * kernel.word_bytes;
    return left +
           (input.in_tiles ? PlaceInTiles(row, byte, input.stride) : row * input.stride + byte);
  };

  DepthRange range = {0, blocking.depth_at_once};
  std::vector<Pass> passes;
  const auto multiply = [&](size_t task, size_t next_task, size_t thread) {
    uint8_t* sums = scratch + thread * thread_bytes;
    uint8_t* widened = sums + sums_bytes;
    const size_t panel = task % weight.panels;
    const size_t begin = task / weight.panels * blocking.groups_of_part;
    const size_t end = std::min(begin + blocking.groups_of_part, blocking.groups);
    const auto words_at = [&](size_t word) {
      return weight.bytes.data() + panel * panel_bytes + word * stored_row;
    };
    FinishedTile& finished = states[thread].finished;
    size_t& tile = states[thread].tile;
    for (size_t i = 0; i < passes.size(); ++i) {
      const Pass& pass = passes[i];
      const bool last = i + 1 == passes.size();
      const bool finishes = last && range.end == slice;
      const uint8_t* stored = words_at(pass.right);
      const uint8_t* right = stored;
      if (kernel.widen != nullptr) {
        kernel.widen(stored, pass.depth * kernel.width, widened);
        right = widened;
      }
      // The words after these come from memory into the caches while these are multiplied: left to
      // the processor's own prefetchers, a product of few rows waits for a third of its time. The
      // requests are spread over the groups, not to come faster than memory answers.
      const uint8_t* next = stored;
      size_t next_words = 0;
      const uint8_t* const next_panel =
          weight.bytes.data() + next_task % weight.panels * panel_bytes;
      if (blocking.alone && next_task != task) {  // each pass its share of the next panel
        const size_t words = (range.end - range.begin) * kernel.sums;
        const size_t from = words * i / passes.size();
        next = next_panel + (range.begin + from) * stored_row;
        next_words = words * (i + 1) / passes.size() - from;
      } else if (last && next_task != task) {
        next = next_panel + passes[0].right * stored_row;
        next_words = passes[0].depth;
      } else if (!last && passes[i + 1].right != pass.right) {
        next = words_at(passes[i + 1].right);
        next_words = passes[i + 1].depth;
      }
      const size_t next_lines = CeilDivide(next_words * stored_row, kCacheLineBytes);
      const size_t intervals = CeilDivide(pass.depth, kFetchInterval);
      const size_t lines = CeilDivide(next_lines, intervals * (end - begin));
      for (size_t group = begin; group < end; ++group) {
        const size_t row = blocking.first_row(group);
        const size_t group_rows = blocking.first_row(group + 1) - row;
        const size_t place = (one_block ? tile : tile + group - begin) % kept_tiles;
        uint8_t* tile_sums = whole_depth
                                 ? sums + place * tile_bytes
                                 : product_sums + (panel * blocking.groups + group) * tile_bytes;
        const size_t first_line = (group - begin) * intervals * lines;
        kernel.multiply({.left = left_at(row, pass.left),
                         .left_stride = left_stride,
                         .rows = group_rows,
                         .depth = pass.depth,
                         .right = right,
                         .sums = tile_sums + pass.sums * sum_bytes,
                         .accumulate = pass.accumulate,
                         .ahead = next + first_line * kCacheLineBytes,
                         .ahead_lines = first_line < next_lines ? lines : 0,
                         .left_step = left_step,
                         .left_block = kTileRows * input.stride,
                         .beside = {finisher.run, &finished.end, finished.rows},
                         .once = blocking.alone && one_block ? Once::kRight : Once::kLeft});
        finished.rows = 0;
        if (!finishes) continue;
        finisher.set(panel, row, tile_sums, finished.end);
        if (kernel.tiles) {
          finished.rows = group_rows;
        } else {
          finisher.run(&finished.end, 0, group_rows);
        }
        if (one_block) ++tile;
      }
    }
    if (!one_block) tile += end - begin;
  };
  const auto at_end = [&](size_t thread) {
    const FinishedTile& finished = states[thread].finished;
    if (finished.rows > 0) finisher.run(&finished.end, 0, finished.rows);
    if (kernel.release != nullptr) kernel.release();
  };
  while (range.begin < slice) {
    passes = PassesOf(slice, kernel.sums, range, blocking.block);
    ParallelForAhead(team, threads, weight.panels * blocking.parts, multiply, at_end, rows,
                     range.end == slice ? row_epilogue : RowEpilogue());
    range = {range.end, std::min(range.end + blocking.depth_at_once, slice)};
  }
}

}  // namespace embedding
