// The names under which a directory holds weights.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace embedding {

// One file, <stem><extension>, or shards, <stem>-00001-of-00003<extension>, and their index,
// <stem><extension>.index.json.
struct WeightsForm {
  std::string_view stem;
  std::string_view extension;
  bool sharded;

  // The file that stands for the form: it, or the index.
  std::string entry() const;
  // Whether this is the name of one of its shards.
  bool IsShard(std::string_view name) const;
};

// Best first.
inline constexpr WeightsForm kWeightsForms[] = {
    {"model", ".safetensors", false},
    {"model", ".safetensors", true},
    {"pytorch_model", ".bin", false},
    {"pytorch_model", ".bin", true},
};

// Whether the directory holds weights in any form. A link whose target is missing does not count.
bool HasWeights(const std::filesystem::path& directory);

}  // namespace embedding
