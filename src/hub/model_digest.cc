#include "hub/model_digest.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/sha256.h"
#include "model/file_formats.h"
#include "model/files.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

// Of the largest tokenizer.json, and still read in a moment.
constexpr uint64_t kLargestWhole = uint64_t{32} << 20;
constexpr uint64_t kBlocks = 64;
constexpr size_t kBlockBytes = size_t{64} << 10;

// `uses_vocabulary`: whether the vocabulary's files have no tokenizer.json beside them.
bool BelongsToModel(std::string_view name, bool uses_vocabulary) {
  constexpr std::array<std::string_view, 5> kEndings = {".json", ".safetensors", ".bin", ".pt",
                                                        ".jinja"};
  if (IsVocabularyFile(name)) return uses_vocabulary;
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [name](std::string_view ending) { return name.ends_with(ending); });
}

// The files by what they are called from `prefix` on, with their sizes.
void AddFiles(const fs::path& directory, const std::string& prefix,
              std::map<std::string, uint64_t>& sizes) {
  const bool uses_vocabulary = !Exists(directory / "tokenizer.json");
  std::error_code error;
  for (auto entry = fs::directory_iterator(directory, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    const bool is_deep = std::count(prefix.begin(), prefix.end(), '/') > 1;  // a Router's is 1
    const bool is_of_adapters =
        name == kAdaptersFolder || prefix == kAdaptersFolder + std::string("/");
    if (!is_deep && (IsModuleFolder(name) || is_of_adapters) && entry->is_directory(ignored)) {
      AddFiles(entry->path(), prefix + name + "/", sizes);
    } else if (BelongsToModel(name, uses_vocabulary) && entry->is_regular_file(ignored)) {
      sizes[prefix + name] = entry->file_size(ignored);
    }
  }
}

// What cannot be read counts by its name and size; if the model needs it, loading says so.
void AddContents(const fs::path& path, uint64_t size, Sha256& sha256) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> block(kBlockBytes);
  const auto add = [&] {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    sha256.Update({block.data(), static_cast<size_t>(file.gcount())});
  };
  if (size <= kLargestWhole) {
    while (file) add();
    return;
  }
  for (uint64_t i = 0; i < kBlocks && file; ++i) {
    file.seekg(static_cast<std::streamoff>((size - kBlockBytes) * i / (kBlocks - 1)));
    add();
  }
}

}  // namespace

std::string ModelDigest(const std::string& directory) {
  std::map<std::string, uint64_t> sizes;
  AddFiles(directory, "", sizes);
  Sha256 sha256;
  for (const auto& [name, size] : sizes) {
    sha256.Update(name + '\0' + std::to_string(size) + '\0');
    AddContents(fs::path(directory) / name, size, sha256);
  }
  return sha256.Hex();
}

}  // namespace embedding
