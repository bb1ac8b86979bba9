#include "hub/file_selection.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/ascii.h"
#include "hub/hub_error.h"
#include "model/file_formats.h"
#include "model/files.h"
#include "weights/model_error.h"
#include "weights/weight_files.h"

namespace embedding {
namespace {

// Of those that a model's directory holds beside the weights.
bool IsModelFile(std::string_view name) {
  const auto is_among = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  return is_among(kModelFiles) || is_among(kTransformerModuleFiles) || name == kSparseFile ||
         name == kColbertFile;
}

// adapters/TASK/FILE
bool IsTaskAdapter(std::string_view name) {
  const size_t task = name.find('/') + 1;
  const size_t file = name.rfind('/') + 1;
  return task < file && name.substr(0, task - 1) == kAdaptersFolder &&
         IsPlainName(name.substr(task, file - 1 - task)) &&
         std::find(std::begin(kAdapterFiles), std::end(kAdapterFiles), name.substr(file)) !=
             std::end(kAdapterFiles);
}

// The folder of a module, or, of a Router's module, that in its own.
bool AreModuleFolders(std::string_view folders) {
  const size_t slash = folders.find('/');
  if (slash == std::string_view::npos) return IsModuleFolder(folders);
  return IsModuleFolder(folders.substr(0, slash)) && IsModuleFolder(folders.substr(slash + 1));
}

bool IsMalicious(std::string_view name) {
  return name.empty() || name.front() == '/' || name.find('\\') != std::string_view::npos ||
         name.find('\0') != std::string_view::npos ||
         ("/" + std::string(name) + "/").find("/../") != std::string::npos;
}

// Adds the weights in a folder ("" or "2_Dense/"), in the best form that is there. False if none
// is.
bool AddWeights(const std::set<std::string>& names, const std::string& folder,
                std::set<std::string>& chosen) {
  for (const WeightsForm& form : kWeightsForms) {
    const std::string entry = folder + form.entry();
    if (!names.contains(entry)) continue;
    chosen.insert(entry);
    if (!form.sharded) return true;
    for (const std::string& name : names) {
      if (name.starts_with(folder) && form.IsShard(std::string_view(name).substr(folder.size()))) {
        chosen.insert(name);
      }
    }
    return true;
  }
  return false;
}

bool HasTokenizerIn(const std::set<std::string>& names, const std::string& folder) {
  return HasTokenizer(
      [&](std::string_view file) { return names.contains(folder + std::string(file)); });
}

// Adds the files of the vocabulary, unless there is a tokenizer.json in their place.
void AddVocabulary(const std::set<std::string>& names, const std::string& folder,
                   std::set<std::string>& chosen) {
  const bool is_needed = !names.contains(folder + "tokenizer.json");
  for (const std::string_view file : kVocabularyFiles) {
    const std::string name = folder + std::string(file);
    if (!names.contains(name)) continue;
    if (is_needed) {
      chosen.insert(name);
    } else {
      chosen.erase(name);
    }
  }
}

// Why the repository is of no use here: what it lacks, and what there is in its place.
Error WhatIsMissing(const std::set<std::string>& all) {
  const bool is_gguf = std::any_of(all.begin(), all.end(), [](const std::string& name) {
    return ForeignFormat(name) == "GGUF";
  });
  if (is_gguf) return ModelError("the repository's weights are GGUF. {}", AdviceOn("GGUF"));
  std::set<std::string> ignored;
  if (!AddWeights(all, "", ignored) && std::any_of(all.begin(), all.end(), IsAdapter)) {
    return ModelError("the repository is an adapter. {}", AdviceOnAdapters());
  }
  if (!all.contains("config.json") && !all.contains("0_Transformer/config.json")) {
    return ModelError(
        "the repository has no config.json, without which a model cannot be loaded here");
  }
  if (!HasTokenizerIn(all, "") && !HasTokenizerIn(all, "0_Transformer/")) {
    return ModelError("the repository has {}", AdviceOnTokenizers());
  }
  const std::string nothing = "the repository has neither model.safetensors nor pytorch_model.bin";
  for (const std::string& name : all) {
    const std::string_view format = ForeignFormat(name);
    if (!format.empty())
      return ModelError("{}, but {}. {}", nothing, Quoted(name), AdviceOn(format));
  }
  return ModelError("{}: it holds no weights that can be loaded here", nothing);
}

}  // namespace

Result<std::vector<std::string>> SelectModelFiles(const std::vector<std::string>& names) {
  const std::set<std::string> all(names.begin(), names.end());
  std::set<std::string> chosen;
  std::set<std::string> folders = {""};
  for (const std::string& name : all) {
    if (IsMalicious(name)) {
      return HubError(
          "the repository claims to have a file named {}, which leaves its folder; "
          "nothing was downloaded",
          Quoted(name));
    }
    if (IsModelFile(name) || IsTaskAdapter(name)) {
      chosen.insert(name);
      continue;
    }
    const size_t slash = name.rfind('/');
    if (slash == std::string::npos || !AreModuleFolders(std::string_view(name).substr(0, slash)))
      continue;
    const std::string_view file = std::string_view(name).substr(slash + 1);
    if (!IsPlainName(file)) continue;
    folders.insert(name.substr(0, slash + 1));
    const bool is_json = file.ends_with(".json") && !file.ends_with(".index.json");
    if (is_json || file == kTemplateFile) chosen.insert(name);
  }

  bool is_model = false;
  for (const std::string& folder : folders) {
    const bool has_weights = AddWeights(all, folder, chosen);
    AddVocabulary(all, folder, chosen);
    // A table of static embeddings has no config.json, but a list of modules.
    const bool has_config = all.contains(folder + "config.json") || all.contains("modules.json");
    is_model = is_model || (has_weights && has_config && HasTokenizerIn(all, folder));
  }
  if (!is_model) return WhatIsMissing(all);
  return std::vector<std::string>(chosen.begin(), chosen.end());
}

}  // namespace embedding
