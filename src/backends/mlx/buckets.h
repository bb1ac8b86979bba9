// Sequences of like length, side by side: MLX has no attention over ragged sequences, and no sums
// over them. Lengths and numbers of sequences are rounded up to few sizes: MLX's allocator and
// NVIDIA's libraries keep something for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace embedding {

// [sequences, length] tokens. Where a sequence is shorter, or only fills up the bucket, its tokens
// are row 0, and what becomes of them is of no interest.
struct Bucket {
  size_t sequences = 0;
  size_t length = 0;
  std::vector<int32_t> rows;      // [sequences, length], of the packed rows
  std::vector<uint32_t> lengths;  // [sequences], at least 1
  std::vector<size_t> members;    // the sequences' numbers, fewer than `sequences` perhaps

  // Whether some tokens are to be left out.
  bool is_mixed() const;
};

struct Buckets {
  std::vector<Bucket> buckets;
  // [rows]: where a packed row stands among the buckets' tokens, one bucket after the other.
  std::vector<int32_t> places;
};

// Of sequences that have the rows [offsets[s], offsets[s + 1]). Empty ones are in no bucket.
Buckets MakeBuckets(std::span<const uint32_t> offsets);

// The next of the sizes that a number is rounded up to: at most a quarter more than `n`, or than 4.
size_t RoundUpCoarsely(size_t n);
// The same with an eighth, or 64.
size_t RoundUpFinely(size_t n);

}  // namespace embedding
