#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/quoted.h"
#include "base/utf8.h"
#include "text/tokenizer_json.h"

namespace embedding {
namespace {

using Normalizers = std::vector<std::unique_ptr<Normalizer>>;

// The run that a regular expression of the form c{n,} matches, for a character c: what
// SentencePiece conversions write for runs of spaces, and what is found faster than by an
// automaton.
std::optional<ReplacePattern> FindRun(std::string_view regex) {
  constexpr std::string_view kSpecial = R"(\^$.|?*+()[]{})";
  if (regex.empty() || kSpecial.find(regex.front()) != std::string_view::npos) return std::nullopt;
  const size_t size_bytes = DecodeUtf8(regex, 0).size_bytes;
  const std::string_view rest = regex.substr(size_bytes);
  // One digit is all that occurs, and keeps runs short.
  const bool is_run = rest.size() == 4 && rest[0] == '{' && rest[1] >= '1' && rest[1] <= '9' &&
                      rest[2] == ',' && rest[3] == '}';
  if (!is_run) return std::nullopt;
  return ReplacePattern{std::string(regex.substr(0, size_bytes)),
                        static_cast<size_t>(rest[1] - '0')};
}

Result<std::unique_ptr<Normalizer>> ParseReplace(const JsonValue& node) {
  ASSIGN_OR_RETURN(const std::string content, node.String("content"));
  ASSIGN_OR_RETURN(const JsonValue pattern, node.Field("pattern"));
  if (const auto field = pattern.Find("Regex")) {
    ASSIGN_OR_RETURN(const std::string_view text, field->AsString());
    if (std::optional<ReplacePattern> run = FindRun(text)) {
      return MakeReplaceNormalizer(*std::move(run), content);
    }
    ASSIGN_OR_RETURN(Regex regex, ParseRegexField(*field));
    return MakeReplaceNormalizer(std::move(regex), content);
  }
  ReplacePattern replaced;
  ASSIGN_OR_RETURN(replaced.literal, pattern.String("String"));
  if (replaced.literal.empty()) return pattern.Fail("is empty");
  return MakeReplaceNormalizer(std::move(replaced), content);
}

Result<std::unique_ptr<Normalizer>> ParseBert(const JsonValue& node) {
  BertNormalizerOptions options;
  ASSIGN_OR_RETURN(options.clean_text, node.Bool("clean_text"));
  ASSIGN_OR_RETURN(options.handle_chinese_chars, node.Bool("handle_chinese_chars"));
  ASSIGN_OR_RETURN(options.lowercase, node.Bool("lowercase"));
  options.strip_accents = options.lowercase;
  if (const auto strip_accents = node.Find("strip_accents")) {
    ASSIGN_OR_RETURN(options.strip_accents, strip_accents->AsBool());
  }
  return MakeBertNormalizer(options);
}

Result<std::unique_ptr<Normalizer>> ParsePrecompiled(const JsonValue& node) {
  ASSIGN_OR_RETURN(const JsonValue field, node.Field("precompiled_charsmap"));
  ASSIGN_OR_RETURN(const std::string_view base64, field.AsString());
  Result<PrecompiledCharsmap> charsmap = PrecompiledCharsmap::FromBase64(base64);
  if (!charsmap) return field.Fail(charsmap.error().message);
  return MakePrecompiledNormalizer(*std::move(charsmap));
}

Result<std::unique_ptr<Normalizer>> ParseOne(const JsonValue& node, std::string_view type) {
  struct Form {
    std::string_view name;
    NormalForm form;
  };
  constexpr std::array<Form, 4> kForms = {{{"NFC", NormalForm::kNfc},
                                           {"NFD", NormalForm::kNfd},
                                           {"NFKC", NormalForm::kNfkc},
                                           {"NFKD", NormalForm::kNfkd}}};
  for (const Form& form : kForms) {
    if (type == form.name) return MakeNormalFormNormalizer(form.form);
  }
  if (type == "BertNormalizer") return ParseBert(node);
  if (type == "Precompiled") return ParsePrecompiled(node);
  if (type == "Replace") return ParseReplace(node);
  if (type == "Lowercase") return MakeLowercaseNormalizer();
  if (type == "StripAccents") return MakeStripAccentsNormalizer();
  if (type == "Nmt") return MakeNmtNormalizer();
  if (type == "ByteLevel") return MakeByteLevelNormalizer();
  if (type == "Strip") {
    ASSIGN_OR_RETURN(const bool left, node.Bool("strip_left"));
    ASSIGN_OR_RETURN(const bool right, node.Bool("strip_right"));
    return MakeStripNormalizer(left, right);
  }
  if (type == "Prepend") {
    ASSIGN_OR_RETURN(const std::string prefix, node.String("prepend"));
    return MakePrependNormalizer(prefix);
  }
  return node.Fail("is of type " + Quoted(type) + ", which is not supported");
}

Status AddNormalizers(const JsonValue& node, Normalizers& normalizers) {
  ASSIGN_OR_RETURN(const std::string_view type, TypeOf(node));
  if (type != "Sequence") {
    // Before this one is made: some have tables that take a while.
    if (normalizers.size() == kMaxSteps) return TooManySteps(node);
    ASSIGN_OR_RETURN(std::unique_ptr<Normalizer> normalizer, ParseOne(node, type));
    normalizers.push_back(std::move(normalizer));
    return {};
  }
  ASSIGN_OR_RETURN(const JsonValue members, node.Field("normalizers"));
  ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, members.Elements());
  for (const JsonValue& element : elements) RETURN_IF_ERROR(AddNormalizers(element, normalizers));
  return {};
}

}  // namespace

Result<Normalizers> ParseNormalizers(const JsonValue& node) {
  Normalizers normalizers;
  RETURN_IF_ERROR(AddNormalizers(node, normalizers));
  RETURN_IF_ERROR(CheckGrowth(node, normalizers));
  return normalizers;
}

}  // namespace embedding
