#include "model/model_directory.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <system_error>
#include <vector>

#include "model/file_formats.h"
#include "weights/model_error.h"
#include "weights/path.h"
#include "weights/weight_files.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

// Sorted, so that an error names the same one each time.
std::vector<fs::path> EntriesOf(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (auto entry = fs::directory_iterator(directory, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

// The directory itself and the folders of its modules: models of before 2021 have all but the list
// of modules in 0_Transformer.
std::vector<fs::path> PlacesIn(const fs::path& directory) {
  std::vector<fs::path> places = {directory};
  for (const fs::path& entry : EntriesOf(directory)) {
    if (IsModuleFolder(entry.filename().string())) places.push_back(entry);
  }
  return places;
}

// The form of weights of other programs that the directory or one of its folders holds; empty if
// none does.
std::string_view ForeignFormatIn(const fs::path& directory) {
  constexpr int kDeepest = 1;  // onnx/model.onnx
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(directory, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry.depth() >= kDeepest) entry.disable_recursion_pending();
    const std::string_view format = ForeignFormat(entry->path().filename().string());
    if (!format.empty()) return format;
  }
  return {};
}

Status CheckWeights(const std::string& directory, const std::vector<fs::path>& entries) {
  if (const std::string_view format = ForeignFormatIn(directory); !format.empty()) {
    return ModelError("{}: of weights it holds {} files alone. {}", directory, format,
                      AdviceOn(format));
  }
  const auto adapter = std::find_if(entries.begin(), entries.end(), [](const fs::path& entry) {
    return IsAdapter(entry.filename().string());
  });
  if (adapter == entries.end()) return {};
  return ModelError("{}: of weights it holds an adapter's alone ({}). {}", directory,
                    adapter->filename().string(), AdviceOnAdapters());
}

// Of a directory without a config.json and without a list of modules that could have one elsewhere.
Status CheckConfig(const std::string& directory, const std::vector<fs::path>& places,
                   const std::vector<fs::path>& entries) {
  if (Exists(fs::path(directory) / "snapshots")) {
    return ModelError(
        "{}: a folder of the hub cache, not a model's directory; give the model's name, org/name, "
        "or one of the directories in {}/snapshots",
        directory, directory);
  }
  if (places.size() > 1) {
    return ModelError(
        "{}: holds {}, the folder of a module, but no modules.json, which says what the modules "
        "are; copy that file of the model too",
        directory, Quoted(places[1].filename().string()));
  }
  const auto inner = std::find_if(entries.begin(), entries.end(), [](const fs::path& entry) {
    return Exists(entry / "config.json") && HasWeights(entry);
  });
  if (inner != entries.end()) {
    return ModelError("{}: holds no config.json, but the directory {} does; give that", directory,
                      Quoted(inner->string()));
  }
  return ModelError(
      "{}: holds no config.json; give the directory with the model's config.json, tokenizer.json "
      "and model.safetensors (or pytorch_model.bin)",
      directory);
}

bool HasTokenizerIn(const fs::path& place) {
  return HasTokenizer([&](std::string_view file) { return Exists(place / file); });
}

}  // namespace

bool HasModel(const fs::path& directory) {
  const std::vector<fs::path> places = PlacesIn(directory);
  // A table of static embeddings has no config.json, but a list of modules.
  const bool has_modules = Exists(directory / "modules.json");
  return std::any_of(places.begin(), places.end(), [&](const fs::path& place) {
    return (has_modules || Exists(place / "config.json")) && HasTokenizerIn(place) &&
           HasWeights(place);
  });
}

Status CheckModelDirectory(const std::string& directory) {
  const std::vector<fs::path> places = PlacesIn(directory);
  const std::vector<fs::path> entries = EntriesOf(directory);
  if (std::none_of(places.begin(), places.end(), HasWeights)) {
    RETURN_IF_ERROR(CheckWeights(directory, entries));
  }
  const fs::path root(directory);
  if (!IsThere(root / "config.json") && !IsThere(root / "modules.json")) {
    return CheckConfig(directory, places, entries);
  }
  // Models of before 2021 have a config.json there too, of the library that saved them.
  const bool is_transformer = HasWeights(root) && IsThere(root / "config.json");
  // A link whose target is missing is the loader's to report.
  const auto is_there = [&](std::string_view file) { return IsThere(root / file); };
  if (!is_transformer || HasTokenizer(is_there)) return {};
  return ModelError("{}: holds {}; copy that of the model too", directory, AdviceOnTokenizers());
}

}  // namespace embedding
