#include "model/message_template.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <utility>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "model/files.h"
#include "model/jinja/render.h"
#include "text/strip.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using jinja::Dict;
using jinja::List;
using jinja::Place;
using jinja::Text;
using jinja::Value;

// The template and where it stands.
struct Source {
  std::string place;
  std::string text;
};

// The field is a template, or a list of them by name.
Result<std::string> TemplateIn(const JsonValue& field) {
  if (field.is_string()) {
    ASSIGN_OR_RETURN(const std::string_view text, field.AsString());
    return std::string(text);
  }
  ASSIGN_OR_RETURN(const std::vector<JsonValue> templates, field.Elements());
  for (const JsonValue& each : templates) {
    ASSIGN_OR_RETURN(const std::string name, each.String("name"));
    if (name == "default") return each.String("template");
  }
  return field.Wrong("a template, or a list with one that is named \"default\"");
}

Result<Source> ReadSource(const TokenizerConfig& tokenizer) {
  const fs::path path = fs::path(tokenizer.directory) / kTemplateFile;
  if (IsThere(path)) {
    ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path.string()));
    const std::span<const std::byte> bytes = file.bytes();
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (FindInvalidUtf8(text) != std::string::npos) {
      return ModelError("{}: is not UTF-8", path.string());
    }
    return Source{path.string(), std::move(text)};
  }
  const auto field = tokenizer.file.Find("chat_template");
  if (!field) {
    return ModelError(
        "{}: texts are to be put into messages, but there is neither chat_template.jinja nor a "
        "chat_template in tokenizer_config.json",
        tokenizer.directory);
  }
  ASSIGN_OR_RETURN(std::string text, TemplateIn(*field));
  return Source{field->place(), std::move(text)};
}

// As sentence-transformers' InputFormatter tells it by the template.
bool IsStructured(const MessageOptions& options, std::string_view source) {
  if (options.format != "auto") return options.format == "structured";
  constexpr std::array<std::string_view, 6> kSigns = {
      "content[0]", ".type", "'type'", "\"type\"", "item.type", "message.content["};
  return std::any_of(kSigns.begin(), kSigns.end(), [&](std::string_view sign) {
    return source.find(sign) != std::string_view::npos;
  });
}

class TemplateRenderer {
 public:
  TemplateRenderer(const TokenizerConfig& tokenizer, const MessageOptions& options, Source source)
      : source_(std::move(source)), is_structured_(IsStructured(options, source_.text)) {
    variables_ = {{"add_generation_prompt", Value(false)},
                  {"tools", Value(jinja::None{})},
                  {"documents", Value(jinja::None{})}};
    for (const auto& [name, token] : tokenizer.tokens.named) {
      if (variables_.size() < kMostTokens) variables_.emplace_back(name, Value::Of(token.content));
    }
    for (const auto& flag : options.flags) {
      std::erase_if(variables_, [&](const auto& known) { return known.first == flag.first; });
      variables_.emplace_back(flag.first, Value(flag.second));
    }
  }

  // Errors: where it is not rendered, or a text has no place in it.
  Result<RenderedTemplate> Render(const std::string& prompt, bool of_pairs) const {
    List messages;
    if (!prompt.empty()) messages.push_back(Message("system", Text(prompt)));
    if (of_pairs) {
      messages.push_back(Message("query", Text(Place::kFirst)));
      messages.push_back(Message("document", Text(Place::kSecond)));
    } else {
      messages.push_back(Message("user", Text(Place::kFirst)));
    }
    Dict variables = variables_;
    variables.emplace_back("messages", Value::Of(std::move(messages)));
    auto text = jinja::Render(source_.text, variables);
    if (!text.ok()) return std::move(text).error().At(source_.place);
    RenderedTemplate rendered = text->pieces();
    for (const Place place : {Place::kFirst, Place::kSecond}) {
      if (place == Place::kSecond && !of_pairs) continue;
      const bool is_there = std::any_of(rendered.begin(), rendered.end(),
                                        [&](const auto& piece) { return piece.place == place; });
      if (is_there) continue;
      return ModelError("{}: what it renders has no {}", source_.place,
                        place == Place::kSecond ? "document"
                        : of_pairs              ? "query"
                                                : "text of the user");
    }
    return rendered;
  }

 private:
  static constexpr size_t kMostTokens = 100;

  Value Message(std::string_view role, Text text) const {
    Value content = Value(std::move(text));
    if (is_structured_) {
      content = Value::Of(List{Value::Of(Dict{{"type", Value::Of("text")}, {"text", content}})});
    }
    return Value::Of(Dict{{"role", Value::Of(role)}, {"content", std::move(content)}});
  }

  const Source source_;
  const bool is_structured_;
  Dict variables_;
};

}  // namespace

Result<MessageTemplates> ReadMessageTemplates(const TokenizerConfig& tokenizer,
                                              const MessageOptions& options,
                                              const std::map<std::string, std::string>& prompts) {
  ASSIGN_OR_RETURN(Source source, ReadSource(tokenizer));
  const TemplateRenderer renderer(tokenizer, options, std::move(source));
  std::map<std::string, std::string> all = prompts;
  all[""] = "";
  MessageTemplates templates;
  for (const bool of_pairs : {false, true}) {
    auto& rendered = of_pairs ? templates.of_pairs : templates.of_texts;
    for (const auto& [name, prompt] : all) {
      auto one = renderer.Render(prompt, of_pairs);
      if (!one.ok()) {
        (of_pairs ? templates.without_pairs : templates.without_texts) = one.error().message;
        rendered.clear();
        break;
      }
      rendered[name] = *std::move(one);
    }
  }
  if (templates.of_texts.empty() && templates.of_pairs.empty()) {
    return ModelError("{}; {}", templates.without_texts, templates.without_pairs);
  }
  return templates;
}

std::string Fill(const RenderedTemplate& rendered, std::string_view first,
                 std::string_view second) {
  std::string filled;
  for (const jinja::Piece& piece : rendered) {
    if (piece.place == Place::kNone) {
      filled += piece.text;
      continue;
    }
    const std::string_view text = piece.place == Place::kFirst ? first : second;
    filled += piece.is_stripped ? StripWhitespace(text) : text;
  }
  return filled;
}

}  // namespace embedding
