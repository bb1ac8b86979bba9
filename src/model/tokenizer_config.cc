#include "model/tokenizer_config.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

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

// Where the vocabulary is, if it is anywhere. transformers looks for a tokenizer.model before the
// file by the name that a class of SentencePiece models has for it.
std::string FindVocabulary(const fs::path& directory, const TokenizerClass& of_class) {
  const fs::path document = directory / "tokenizer.json";
  if (IsThere(document) || of_class.vocabulary_file.empty()) return document.string();
  const fs::path model = directory / "tokenizer.model";
  if (of_class.vocabulary_file.ends_with(".model") && IsThere(model)) return model.string();
  return (directory / of_class.vocabulary_file).string();
}

// The texts of the tokens that are special by a name, be it the class's, or in a list.
std::vector<std::string> SpecialTexts(const SpecialTokens& tokens, const TokenizerClass& of_class) {
  std::vector<std::string> texts;
  for (const auto& [name, token] : tokens.named) texts.push_back(token.content);
  for (size_t i = 0; i < kTokenNames.size(); ++i) {
    const std::string_view of_name = of_class.tokens[i];
    if (!of_name.empty() && !tokens.Say(kTokenNames[i])) texts.emplace_back(of_name);
  }
  if (!tokens.extra) return texts;
  for (const AddedToken& token : *tokens.extra) texts.push_back(token.content);
  return texts;
}

}  // namespace

Result<TokenizerConfig> ReadTokenizerConfig(const std::string& directory,
                                            std::string_view model_type,
                                            const std::string& config_class,
                                            std::string_view default_class) {
  const std::string path = (fs::path(directory) / "tokenizer_config.json").string();
  TokenizerConfig config;
  config.directory = directory;
  ASSIGN_OR_RETURN(config.file, IsThere(path) ? JsonValue::ObjectFromFile(path)
                                              : Result<JsonValue>(JsonValue::EmptyObject(path)));
  const JsonValue& file = config.file;
  ASSIGN_OR_RETURN(config.named_class, file.String("tokenizer_class", config_class));
  config.of_class = &TokenizerClassOf(model_type, config.named_class, default_class);
  config.path = FindVocabulary(directory, *config.of_class);
  config.strips_texts = config.of_class->keeps_documents_steps && config.path.ends_with(".json");
  ASSIGN_OR_RETURN(config.tokens, ReadSpecialTokens(directory, file));
  ASSIGN_OR_RETURN(config.split_special_tokens, file.Bool("split_special_tokens", false));
  config.special_tokens = SpecialTexts(config.tokens, *config.of_class);
  std::vector<std::string> inputs;
  if (config.of_class->has_token_types) inputs.emplace_back("token_type_ids");
  ASSIGN_OR_RETURN(inputs, file.Strings("model_input_names", inputs));
  config.has_token_types =
      std::find(inputs.begin(), inputs.end(), "token_type_ids") != inputs.end();
  ASSIGN_OR_RETURN(config.truncates_left, ReadTruncationSide(file));
  ASSIGN_OR_RETURN(config.model_max_length, ReadLimit(file));
  return config;
}

}  // namespace embedding
