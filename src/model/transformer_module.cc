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

// processing_kwargs' "chat_template": what a template of messages is given.
Status ReadTemplateArguments(const JsonValue& arguments, TransformerModule& module) {
  RETURN_IF_ERROR(arguments.ExpectObject());
  for (const auto& [name, value] : arguments.Fields()) {
    const Result<bool> flag = value.AsBool();
    if (!flag.ok()) {
      return ModelError("{} is not supported; supported are true and false", value.place());
    }
    if (name == "restore_suffix" && !*flag) {
      return ModelError("{}: false is not supported", value.place());
    }
    if (module.messages) module.messages->flags[std::string(name)] = *flag;
  }
  return {};
}

Status ReadProcessing(const JsonValue& processing, TransformerModule& module) {
  RETURN_IF_ERROR(processing.ExpectObject());
  if (const auto arguments = processing.Find("chat_template")) {
    RETURN_IF_ERROR(ReadTemplateArguments(*arguments, module));
  }
  // Of these the second wins; no pictures and no sounds come here.
  for (const char* kind : {"text", "common"}) {
    if (const auto arguments = processing.Find(kind)) {
      RETURN_IF_ERROR(ReadArguments(*arguments, "max_length",
                                    "send truncate or add_special_tokens with a request", module));
    }
  }
  return {};
}

// modality_config: what is made of a text, and whether it is put into messages first.
Status ReadModality(const JsonValue& file, TransformerModule& module) {
  const auto config = file.Find("modality_config");
  if (!config) return {};
  const auto message = config->Find("message");
  const auto text = message ? message : config->Find("text");
  if (!text) return config->Fail("has neither \"text\" nor \"message\"");
  ASSIGN_OR_RETURN(const std::string method, text->String("method", "forward"));
  if (method != "forward") return text->Wrong("method", "\"forward\"");
  const auto output = text->Find("method_output_name");
  const Result<std::string_view> name = output ? output->AsString() : "last_hidden_state";
  if (!name.ok() || (*name != "last_hidden_state" && *name != "logits")) {
    return ModelError("{}: method_output_name {} is not supported", text->place(), output->Shown());
  }
  ASSIGN_OR_RETURN(const std::string given, file.String("module_output_name", "token_embeddings"));
  if (given == "sentence_embedding") {
    return ModelError("{}: module_output_name {} is not supported", file.place(), Quoted(given));
  }
  if (!message) return {};
  module.messages.emplace();
  ASSIGN_OR_RETURN(module.messages->format, message->String("format", "auto"));
  return {};
}

Status ReadTasks(const JsonValue& file, TransformerModule& module) {
  ASSIGN_OR_RETURN(const std::string task, file.String("transformer_task", ""));
  if (task == "retrieval" || task == "any-to-any") {
    return ModelError("{}: transformer_task {} is not supported", file.place(), Quoted(task));
  }
  if (file.Has("query_expansion")) {
    return ModelError("{}: query_expansion is not supported", file.place());
  }
  for (const char* prompt : {"query", "document"}) {
    if (const auto limit = file.Find(std::string(prompt) + "_length")) {
      ASSIGN_OR_RETURN(const int64_t tokens, limit->AsInteger(kMinSequence, INT32_MAX));
      module.limit_of_prompt[prompt] = static_cast<size_t>(tokens);
    }
  }
  return {};
}

Status ReadFile(const JsonValue& file, TransformerModule& module) {
  RETURN_IF_ERROR(ReadTasks(file, module));
  RETURN_IF_ERROR(ReadModality(file, module));
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
    RETURN_IF_ERROR(ReadProcessing(*processing, module));
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
