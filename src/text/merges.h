// The merges of a BPE model of which only the pieces are known, as files of the sentencepiece
// library have it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace embedding {

// Two pieces that one after the other are a third.
struct Merge {
  std::string_view left;
  std::string_view right;
};

// Every way to cut a piece into two of the pieces, in the order in which transformers ranks them
// (generate_merges): by the id of the piece that comes of it, then by the characters of the left
// one. Pieces are valid UTF-8, their place is their id; of equal ones the last counts. The merges
// are views of them. Time and memory are linear in the bytes of all pieces, but for sorting.
std::vector<Merge> GenerateMerges(std::span<const std::string_view> pieces);

}  // namespace embedding
