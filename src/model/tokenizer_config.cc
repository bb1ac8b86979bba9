#include "model/tokenizer_config.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "base/json_value.h"
#include "model/special_tokens.h"
#include "weights/path.h"

namespace embedding {
namespace {

// "BertTokenizerFast" -> "BertTokenizer": the classes of two names have been one since transformers
// 5.
std::string WithoutFast(std::string name) {
  constexpr std::string_view kFast = "Fast";
  if (name.ends_with(kFast)) name.resize(name.size() - kFast.size());
  return name;
}

using Class = TokenizerOverrides::Class;
using Names = std::map<std::string, std::string>;

// Tokenizers without a limit say 1e30.
Result<std::optional<size_t>> ReadLimit(const JsonValue& config) {
  const std::string_view name = config.Has("model_max_length") ? "model_max_length" : "max_len";
  if (!config.Has(name)) return std::optional<size_t>();
  ASSIGN_OR_RETURN(const double limit, config.Number(name));
  if (limit > INT32_MAX) return std::optional<size_t>();
  ASSIGN_OR_RETURN(const int64_t tokens, config.Integer(name, kMinSequence, INT32_MAX));
  return std::optional(static_cast<size_t>(tokens));
}

Result<std::optional<bool>> ReadTruncationSide(const JsonValue& config) {
  if (!config.Has("truncation_side")) return std::optional<bool>();
  ASSIGN_OR_RETURN(const std::string side, config.String("truncation_side"));
  if (side != "left" && side != "right") {
    return config.Wrong("truncation_side", "\"left\" or \"right\"");
  }
  return std::optional(side == "left");
}

std::string NameOf(const std::string& name, const Names& named) {
  const auto found = named.find(name);
  return found == named.end() ? "" : found->second;
}

Status ReadBert(const JsonValue& file, const Names& named, TokenizerOverrides& overrides) {
  overrides.of_class = Class::kBert;
  BertNormalizerOptions& bert = overrides.bert;
  ASSIGN_OR_RETURN(bert.lowercase, file.Bool("do_lower_case", true));
  ASSIGN_OR_RETURN(bert.handle_chinese_chars, file.Bool("tokenize_chinese_chars", true));
  ASSIGN_OR_RETURN(bert.strip_accents, file.Bool("strip_accents", bert.lowercase));
  overrides.unk_token = NameOf("unk_token", named);
  overrides.first_token = NameOf("cls_token", named);
  overrides.last_token = NameOf("sep_token", named);
  return {};
}

Status ReadXlmRoberta(const JsonValue& file, const Names& named, TokenizerOverrides& overrides) {
  overrides.of_class = Class::kXlmRoberta;
  ASSIGN_OR_RETURN(const bool add_prefix_space, file.Bool("add_prefix_space", true));
  overrides.without_prefix_space = !add_prefix_space;
  overrides.first_token = NameOf("bos_token", named);
  overrides.last_token = NameOf("eos_token", named);
  return {};
}

Result<TokenizerOverrides> ReadOverrides(const std::string& directory, const JsonValue& file,
                                         const std::string& class_name) {
  const bool is_bert = class_name == "BertTokenizer" || class_name == "DistilBertTokenizer" ||
                       class_name == "ElectraTokenizer";
  const bool is_xlm_roberta = class_name == "XLMRobertaTokenizer";
  ASSIGN_OR_RETURN(SpecialTokens tokens, ReadSpecialTokens(directory, file));
  TokenizerOverrides overrides;
  overrides.added_tokens = std::move(tokens.added);
  ASSIGN_OR_RETURN(overrides.split_special_tokens, file.Bool("split_special_tokens", false));
  if (is_bert) RETURN_IF_ERROR(ReadBert(file, tokens.named, overrides));
  if (is_xlm_roberta) RETURN_IF_ERROR(ReadXlmRoberta(file, tokens.named, overrides));
  return overrides;
}

}  // namespace

Result<TokenizerConfig> ReadTokenizerConfig(const std::string& directory,
                                            const std::string& default_class) {
  const std::string path = (std::filesystem::path(directory) / "tokenizer_config.json").string();
  ASSIGN_OR_RETURN(const JsonValue file, IsThere(path)
                                             ? JsonValue::ObjectFromFile(path)
                                             : Result<JsonValue>(JsonValue::EmptyObject(path)));
  TokenizerConfig config;
  ASSIGN_OR_RETURN(std::string class_name, file.String("tokenizer_class", default_class));
  class_name = WithoutFast(std::move(class_name));
  const bool is_plain = class_name == "PreTrainedTokenizer" || class_name == "TokenizersBackend";
  ASSIGN_OR_RETURN(config.overrides, ReadOverrides(directory, file, class_name));
  const std::vector<std::string> of_class = is_plain || class_name == "DistilBertTokenizer"
                                                ? std::vector<std::string>()
                                                : std::vector<std::string>{"token_type_ids"};
  ASSIGN_OR_RETURN(const std::vector<std::string> inputs,
                   file.Strings("model_input_names", of_class));
  config.has_token_types =
      std::find(inputs.begin(), inputs.end(), "token_type_ids") != inputs.end();
  ASSIGN_OR_RETURN(config.truncates_left, ReadTruncationSide(file));
  ASSIGN_OR_RETURN(config.model_max_length, ReadLimit(file));
  return config;
}

}  // namespace embedding
