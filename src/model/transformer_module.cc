#include "model/transformer_module.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/json_value.h"
#include "model/files.h"
#include "model/tokenizer_config.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

// Arguments of the libraries' loading, and of padding, which change no vector.
constexpr std::array<std::string_view, 10> kHarmless = {
    "cache_dir",   "local_files_only", "padding",  "padding_side",      "pad_to_multiple_of",
    "return_dict", "return_tensors",   "revision", "trust_remote_code", "use_fast"};

Status ReadLimit(const JsonValue& value, std::optional<size_t>& limit) {
  ASSIGN_OR_RETURN(const int64_t tokens, value.AsInteger(kMinSequence, INT32_MAX));
  limit = static_cast<size_t>(tokens);
  return {};
}

// How the tokenizer cuts a single text by these is one and the same.
bool IsTruncation(const JsonValue& value) {
  const Result<bool> is_on = value.AsBool();
  const Result<std::string_view> strategy = value.AsString();
  return (is_on.ok() && *is_on) ||
         (strategy.ok() && (*strategy == "longest_first" || *strategy == "only_first"));
}

// `arguments` of a constructor or of the tokenizer's call; `limit` is the one that is a length.
Status ReadArguments(const JsonValue& arguments, std::optional<std::string_view> limit,
                     std::string_view instead, TransformerModule& module) {
  RETURN_IF_ERROR(arguments.ExpectObject());
  for (const auto& [name, value] : arguments.Fields()) {
    const bool is_harmless =
        std::find(kHarmless.begin(), kHarmless.end(), name) != kHarmless.end() ||
        (name == "truncation" && IsTruncation(value));
    if (value.is_null() || is_harmless) continue;
    if (name != limit) {
      return ModelError("{} is not supported; {}", value.place(), instead);
    }
    RETURN_IF_ERROR(ReadLimit(value, module.max_seq_length));
  }
  return {};
}

Status ReadFile(const JsonValue& file, TransformerModule& module) {
  ASSIGN_OR_RETURN(module.lower_case, file.Bool("do_lower_case", false));
  if (const auto limit = file.Find("max_seq_length")) {
    RETURN_IF_ERROR(ReadLimit(*limit, module.max_seq_length));
  }
  for (const char* name : {"tokenizer_args", "tokenizer_kwargs", "processor_kwargs"}) {
    if (const auto arguments = file.Find(name)) {
      RETURN_IF_ERROR(ReadArguments(*arguments, "model_max_length",
                                    "put it into tokenizer_config.json", module));
    }
  }
  for (const char* name : {"config_args", "config_kwargs"}) {
    if (const auto arguments = file.Find(name)) {
      RETURN_IF_ERROR(ReadArguments(*arguments, std::nullopt, "put it into config.json", module));
    }
  }
  if (const auto processing = file.Find("processing_kwargs")) {
    RETURN_IF_ERROR(processing->ExpectObject());
    for (const auto& [kind, arguments] : processing->Fields()) {
      if (kind != "text" && kind != "common") continue;  // no pictures and no sounds come here
      RETURN_IF_ERROR(ReadArguments(arguments, "max_length",
                                    "send truncate or add_special_tokens with a request", module));
    }
  }
  return {};
}

}  // namespace

Result<TransformerModule> ReadTransformerModule(const std::string& directory) {
  TransformerModule module;
  for (const std::string_view name : kTransformerModuleFiles) {
    const std::string path = (std::filesystem::path(directory) / name).string();
    if (!IsThere(path)) continue;
    ASSIGN_OR_RETURN(const JsonValue file, JsonValue::ObjectFromFile(path));
    if (file.Fields().empty()) continue;
    module.path = path;
    RETURN_IF_ERROR(ReadFile(file, module));
    break;
  }
  return module;
}

}  // namespace embedding
