#include "text/decoder.h"

#include <utility>

#include "text/tokenizer_json.h"

namespace embedding {
namespace {

void ReplaceAll(std::string_view from, std::string_view to, std::string& text) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// In the order of the `tokenizers` library, which does this token by token.
void CleanUp(std::string& token) {
  constexpr std::pair<std::string_view, std::string_view> kSpaces[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [from, to] : kSpaces) ReplaceAll(from, to, token);
}

}  // namespace

Result<Decoder> Decoder::FromJson(const JsonValue& node) {
  Decoder decoder;
  ASSIGN_OR_RETURN(const std::string_view type, TypeOf(node));
  if (type == "WordPiece") {
    decoder.kind_ = Kind::kWordPiece;
    ASSIGN_OR_RETURN(decoder.prefix_, node.String("prefix"));
    ASSIGN_OR_RETURN(decoder.cleanup_, node.Bool("cleanup"));
  } else if (type == "Metaspace") {
    decoder.kind_ = Kind::kMetaspace;
    ASSIGN_OR_RETURN(const JsonValue replacement, node.Field("replacement"));
    ASSIGN_OR_RETURN(decoder.replacement_, AsCharacter(replacement));
    if (node.Find("prepend_scheme")) {
      ASSIGN_OR_RETURN(const std::string scheme, node.String("prepend_scheme"));
      decoder.drops_first_replacement_ = scheme != "never";
    } else if (node.Find("add_prefix_space")) {
      ASSIGN_OR_RETURN(decoder.drops_first_replacement_, node.Bool("add_prefix_space"));
    }
  } else {
    decoder.kind_ = Kind::kOther;
    decoder.name_ = type;
  }
  return decoder;
}

Result<std::string> Decoder::Decode(std::span<const std::string_view> tokens) const {
  if (kind_ == Kind::kOther) {
    return Error{ErrorCode::kUnsupported, "the tokenizer's decoder " + name_ + " is not supported",
                 ""};
  }
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string token(tokens[i]);
    if (kind_ == Kind::kMetaspace) {
      if (i == 0 && drops_first_replacement_) {
        // All of the first token's, as the library does it.
        ReplaceAll(replacement_, "", token);
      } else {
        ReplaceAll(replacement_, " ", token);
      }
    } else if (kind_ == Kind::kWordPiece && i > 0 && token.starts_with(prefix_)) {
      token.erase(0, prefix_.size());
    } else if (i > 0) {
      token.insert(0, 1, ' ');
    }
    if (kind_ == Kind::kWordPiece && cleanup_) CleanUp(token);
    text += token;
  }
  return text;
}

}  // namespace embedding
