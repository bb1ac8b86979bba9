#include "model/tokenizer_document.h"

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/mapped_file.h"
#include "model/class_parts.h"
#include "model/sentencepiece_document.h"
#include "model/surroundings.h"
#include "text/sentencepiece_model.h"
#include "text/tokenizer_json.h"
#include "text/vocabulary_files.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

constexpr std::string_view kTokenizerJson = "tokenizer.json";
constexpr std::string_view kHowToMakeOne =
    "make it with Python's transformers: "
    "AutoTokenizer.from_pretrained(MODEL).save_pretrained(DIRECTORY)";

std::string_view TextOf(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

// A string of JSON with the table of the document's first Precompiled normalizer, be it alone or
// one of a sequence; empty if there is none.
std::string CharsmapOf(const JsonValue& document) {
  const auto normalizer = document.Find("normalizer");
  if (!normalizer) return "";
  std::vector<JsonValue> steps = {*normalizer};
  const Result<std::string_view> kind = TypeOf(*normalizer);
  const auto members = normalizer->Find("normalizers");
  if (kind.ok() && *kind == "Sequence" && members) {
    if (auto elements = members->Elements(); elements.ok()) steps = *std::move(elements);
  }
  std::string charsmap;
  for (const JsonValue& step : steps) {
    const Result<std::string_view> type = TypeOf(step);
    const Result<std::string> table = step.String("precompiled_charsmap");
    if (!type.ok() || *type != "Precompiled" || !table.ok()) continue;
    JsonWriter(charsmap).String(*table);
    break;
  }
  return charsmap;
}

void AddName(std::string_view name, std::string_view text, SpecialTokens& tokens) {
  if (text.empty() || tokens.Say(name)) return;
  AddedToken& token = tokens.named[std::string(name)];
  token.content = text;
  token.special = true;
  tokens.texts.emplace(name);
}

// The tokens of the files and, where they say nothing, of the class.
SpecialTokens TokensOf(const TokenizerConfig& config, const TokenizerClass& of_class,
                       const SentencePieceModel* model) {
  SpecialTokens tokens = config.tokens;
  for (size_t i = 0; i < kTokenNames.size(); ++i) {
    AddName(kTokenNames[i], of_class.tokens[i], tokens);
  }
  if (of_class.mask_strips_left && tokens.texts.contains("mask_token")) {
    tokens.named["mask_token"].lstrip = true;
  }
  if (model == nullptr || of_class.make_parts != nullptr) return tokens;
  if (model->bos_id >= 0) AddName("bos_token", model->bos_piece, tokens);
  if (model->eos_id >= 0) AddName("eos_token", model->eos_piece, tokens);
  if (model->unk_id >= 0) AddName("unk_token", model->unk_piece, tokens);
  return tokens;
}

// What a class that makes a tokenizer anew does with the document's added tokens: beside an
// added_tokens_decoder they are of no account, and otherwise count before those of
// added_tokens.json with the same ids.
Status ReplaceAddedTokens(const JsonValue& document, bool has_decoder, AddedTokenOverrides& added) {
  added.replace_documents = true;
  std::map<int32_t, AddedToken> by_id;
  for (AddedToken& token : added.with_ids) by_id.insert_or_assign(token.id, std::move(token));
  const auto of_document = document.Find("added_tokens");
  if (of_document && !has_decoder) {
    ASSIGN_OR_RETURN(std::vector<AddedToken> tokens, ParseAddedTokens(*of_document));
    for (AddedToken& token : tokens) by_id.insert_or_assign(token.id, std::move(token));
  }
  added.with_ids.clear();
  for (auto& [id, token] : by_id) added.with_ids.push_back(std::move(token));
  return {};
}

// Makes every token with a name, and of a list of special tokens, one that is a text alone.
void ResetSpecialTokens(AddedTokenOverrides& added) {
  std::unordered_set<std::string> special;
  for (const AddedToken& token : added.without_ids) special.insert(token.content);
  for (auto* const tokens : {&added.with_ids, &added.without_ids}) {
    for (AddedToken& token : *tokens) {
      if (!special.contains(token.content)) continue;
      token = {.content = token.content, .id = token.id, .special = true};
    }
  }
}

// Whether the class is for such a document. transformers takes the document as it is also where a
// LlamaTokenizer is named and the model is of Llama 3's kind.
bool IsFor(const TokenizerClass& of_class, const JsonValue& document) {
  if (of_class.make_parts == nullptr) return false;
  const auto model = document.Find("model");
  const Result<std::string_view> type = model ? ModelType(*model) : Result<std::string_view>("");
  if (!type.ok() || *type != of_class.model) return false;
  return of_class.name != "LlamaTokenizer" ||
         document.document().find("\"ByteLevel\"") == std::string_view::npos;
}

Result<JsonValue> MakeParts(const TokenizerClass& of_class, const ClassArguments& arguments) {
  const auto make = of_class.make_parts != nullptr ? of_class.make_parts : MakePlainParts;
  std::string parts;
  JsonWriter json(parts);
  json.BeginObject();
  RETURN_IF_ERROR(make(arguments, json));
  json.EndObject();
  return JsonValue::Parse(parts, std::string(of_class.name));
}

// All that is in the document's place.
Result<TokenizerOverrides> OverridesOf(const JsonValue& document, const TokenizerConfig& config,
                                       const TokenizerClass& of_class,
                                       const ClassArguments& arguments) {
  const SpecialTokens& tokens = arguments.tokens;
  TokenizerOverrides overrides;
  overrides.split_special_tokens = config.split_special_tokens;
  overrides.lowercase_first = config.lowercase_first;
  TokenList list = tokens.additional;
  if (arguments.sentencepiece != nullptr) list = AddedPieces(*arguments.sentencepiece);
  if (of_class.add_own_tokens != nullptr) {
    RETURN_IF_ERROR(of_class.add_own_tokens(arguments.config, list));
  }
  overrides.added_tokens = AddedBy(tokens, list);
  ASSIGN_OR_RETURN(overrides.post_processor,
                   SurroundingsOf(of_class, arguments, document.Has("post_processor")));
  if (of_class.make_parts == nullptr && arguments.sentencepiece == nullptr) return overrides;
  if (of_class.resets_special_tokens) ResetSpecialTokens(overrides.added_tokens);
  RETURN_IF_ERROR(ReplaceAddedTokens(document, tokens.has_decoder, overrides.added_tokens));
  ASSIGN_OR_RETURN(overrides.parts, MakeParts(of_class, arguments));
  overrides.nearest_scores = !(of_class.keeps_documents_steps && arguments.has_tokenizer_json);
  return overrides;
}

std::optional<JsonValue> VocabularyOf(const JsonValue& document) {
  const auto model = document.Find("model");
  return model ? model->Find("vocab") : std::nullopt;
}

Result<TokenizerDocument> ReadTokenizerJson(std::string_view text, const TokenizerConfig& config) {
  ASSIGN_OR_RETURN(JsonValue document, JsonValue::Parse(text, ""));
  const TokenizerClass& of_class =
      IsFor(*config.of_class, document) ? *config.of_class : PlainTokenizerClass();
  const SpecialTokens tokens = TokensOf(config, of_class, nullptr);
  const ClassArguments arguments = {.config = config.file,
                                    .tokens = tokens,
                                    .charsmap = CharsmapOf(document),
                                    .vocabulary = VocabularyOf(document),
                                    .has_tokenizer_json = true};
  ASSIGN_OR_RETURN(TokenizerOverrides overrides,
                   OverridesOf(document, config, of_class, arguments));
  return TokenizerDocument{std::move(document), std::move(overrides)};
}

Result<TokenizerDocument> ReadSentencePiece(std::string_view file, const TokenizerConfig& config) {
  ASSIGN_OR_RETURN(const SentencePieceModel model, ReadSentencePieceModel(file));
  const TokenizerClass& of_class = *config.of_class;
  const SpecialTokens tokens = TokensOf(config, of_class, &model);
  ClassArguments arguments = {.config = config.file, .tokens = tokens, .sentencepiece = &model};
  if (!model.precompiled_charsmap.empty()) {
    JsonWriter(arguments.charsmap).Base64(std::as_bytes(std::span(model.precompiled_charsmap)));
  }
  ASSIGN_OR_RETURN(const std::string json, SentencePieceDocument(model, of_class, arguments));
  ASSIGN_OR_RETURN(JsonValue document, JsonValue::Parse(json, ""));
  arguments.vocabulary = VocabularyOf(document);
  ASSIGN_OR_RETURN(TokenizerOverrides overrides,
                   OverridesOf(document, config, of_class, arguments));
  return TokenizerDocument{std::move(document), std::move(overrides)};
}

Result<std::string> ReadTexts(std::string_view file, const TokenizerConfig& config) {
  if (config.of_class->merges_file.empty()) return WordPieceDocument(file);
  const auto path = std::filesystem::path(config.directory) / config.of_class->merges_file;
  ASSIGN_OR_RETURN(const MappedFile merges, MappedFile::Open(path.string()));
  ASSIGN_OR_RETURN(const JsonValue vocabulary, JsonValue::Parse(file, ""));
  return BpeDocument(vocabulary, TextOf(merges));
}

Result<TokenizerDocument> ReadVocabulary(std::string_view file, const TokenizerConfig& config) {
  ASSIGN_OR_RETURN(const std::string json, ReadTexts(file, config));
  ASSIGN_OR_RETURN(JsonValue document, JsonValue::Parse(json, ""));
  const SpecialTokens tokens = TokensOf(config, *config.of_class, nullptr);
  ASSIGN_OR_RETURN(
      TokenizerOverrides overrides,
      OverridesOf(document, config, *config.of_class, {.config = config.file, .tokens = tokens}));
  return TokenizerDocument{std::move(document), std::move(overrides)};
}

Status CheckFiles(const TokenizerConfig& config) {
  const TokenizerClass& of_class = *config.of_class;
  if (!IsThere(config.path)) {
    if (&of_class == &PlainTokenizerClass() && !IsKnownTokenizerClass(config.named_class)) {
      return ModelError(
          "{}: holds no tokenizer.json, and the files that a tokenizer of class {} is made of are "
          "not read; supported of it is a tokenizer.json",
          config.directory, Quoted(config.named_class));
    }
    if (of_class.vocabulary_file.empty()) {
      return ModelError(
          "{}: holds no tokenizer.json, and that of a {} is made of no other files here; {}",
          config.directory, of_class.name, kHowToMakeOne);
    }
    return ModelError(
        "{}: holds no tokenizer.json, nor the {} that a {} is made of; copy one of these files of "
        "the model too",
        config.directory, of_class.vocabulary_file, of_class.name);
  }
  if (of_class.merges_file.empty() || config.path.ends_with(kTokenizerJson)) return {};
  if (IsThere(std::filesystem::path(config.directory) / of_class.merges_file)) return {};
  return ModelError(
      "{}: holds {}, but not the {} that belongs to it; copy that file of the model too",
      config.directory, of_class.vocabulary_file, of_class.merges_file);
}

Result<TokenizerDocument> Read(std::string_view file, const TokenizerConfig& config) {
  if (config.path.ends_with(kTokenizerJson)) return ReadTokenizerJson(file, config);
  if (config.path.ends_with(".model")) return ReadSentencePiece(file, config);
  return ReadVocabulary(file, config);
}

}  // namespace

Result<TokenizerDocument> ReadTokenizerDocument(const TokenizerConfig& config) {
  RETURN_IF_ERROR(CheckFiles(config));
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(config.path));
  Result<TokenizerDocument> document = Read(TextOf(file), config);
  if (!document) return std::move(document).error().At(config.path);
  return document;
}

Result<std::unique_ptr<Tokenizer>> LoadTokenizer(const TokenizerConfig& config) {
  ASSIGN_OR_RETURN(const TokenizerDocument read, ReadTokenizerDocument(config));
  Result<std::unique_ptr<Tokenizer>> tokenizer =
      Tokenizer::FromDocument(read.document, read.overrides);
  if (!tokenizer) return std::move(tokenizer).error().At(config.path);
  return tokenizer;
}

}  // namespace embedding
