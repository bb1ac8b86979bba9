#include "text/vocabulary_files.h"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "base/quoted.h"
#include "base/utf8.h"
#include "text/unicode.h"

namespace embedding {
namespace {

Error InLine(size_t number, const std::string& problem) {
  return {ErrorCode::kModelLoad, fmt::format("line {} {}", number, problem), ""};
}

// The next line, without what ends it, off the front of `rest`.
std::string_view TakeLine(std::string_view& rest) {
  const size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Without white space at the end. Valid UTF-8.
std::string_view WithoutSpaceAtEnd(std::string_view text) {
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while ((static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    if (!IsWhitespace(DecodeUtf8(text, start).value)) break;
    text = text.substr(0, start);
  }
  return text;
}

// {"version":"1.0","model":{"type":"<type>"<members>}}
template <typename Members>
std::string ModelDocument(std::string_view type, const Members& members) {
  std::string document;
  JsonWriter json(document);
  json.BeginObject().Key("version").String("1.0").Key("model").BeginObject();
  json.Key("type").String(type);
  members(json);
  json.EndObject().EndObject();
  return document;
}

// "vocab" as an object: an id each, where a text that is there twice has the last.
void WriteVocabulary(std::span<const std::string_view> pieces, JsonWriter& json) {
  std::unordered_map<std::string_view, size_t> last;
  last.reserve(pieces.size());
  for (size_t id = 0; id < pieces.size(); ++id) last[pieces[id]] = id;
  json.Key("vocab").BeginObject();
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (last[pieces[id]] == id) json.Key(pieces[id]).Integer(id);
  }
  json.EndObject();
}

void WriteMerges(std::span<const Merge> merges, JsonWriter& json) {
  json.Key("merges").BeginArray();
  for (const Merge& merge : merges) {
    json.BeginArray().String(merge.left).String(merge.right).EndArray();
  }
  json.EndArray();
}

using Texts = std::unordered_set<std::string_view>;

Result<Merge> ParseMerge(std::string_view line, size_t number, const Texts& pieces) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
    return InLine(number,
                  "must be two pieces with a space between them, but it is " + Quoted(line));
  }
  const Merge merge = {line.substr(0, space), line.substr(space + 1)};
  const std::string merged = std::string(merge.left).append(merge.right);
  for (const std::string_view piece : {merge.left, merge.right, std::string_view(merged)}) {
    if (!pieces.contains(piece)) {
      return InLine(number,
                    fmt::format("needs the piece {}, which the vocabulary lacks", Quoted(piece)));
    }
  }
  return merge;
}

}  // namespace

Result<std::string> WordPieceDocument(std::string_view vocab_txt) {
  std::vector<std::string_view> pieces;
  while (!vocab_txt.empty()) {
    const std::string_view line = TakeLine(vocab_txt);
    if (FindInvalidUtf8(line) != std::string_view::npos) {
      return InLine(pieces.size() + 1, "is not UTF-8");
    }
    pieces.push_back(WithoutSpaceAtEnd(line));
  }
  return ModelDocument("WordPiece", [&](JsonWriter& json) { WriteVocabulary(pieces, json); });
}

Result<std::string> BpeDocument(const JsonValue& vocab_json, std::string_view merges_txt) {
  RETURN_IF_ERROR(vocab_json.ExpectObject());
  Texts pieces;
  const simdjson::dom::object vocabulary = vocab_json.element().get_object().value_unsafe();
  for (const simdjson::dom::key_value_pair member : vocabulary) pieces.insert(member.key);
  std::vector<Merge> merges;
  for (size_t number = 1; !merges_txt.empty(); ++number) {
    const std::string_view line = TakeLine(merges_txt);
    if (line.starts_with("#version")) continue;
    ASSIGN_OR_RETURN(merges.emplace_back(), ParseMerge(line, number, pieces));
  }
  return ModelDocument("BPE", [&](JsonWriter& json) {
    json.Key("vocab").Json(simdjson::minify(vocab_json.element()));
    WriteMerges(merges, json);
  });
}

std::string BpeDocument(std::span<const std::string_view> pieces, std::span<const Merge> merges) {
  return ModelDocument("BPE", [&](JsonWriter& json) {
    WriteVocabulary(pieces, json);
    WriteMerges(merges, json);
  });
}

std::string UnigramDocument(std::span<const ScoredPiece> pieces) {
  return ModelDocument("Unigram", [&](JsonWriter& json) {
    std::string score;
    json.Key("vocab").BeginArray();
    for (const ScoredPiece& piece : pieces) {
      score.clear();
      fmt::format_to(std::back_inserter(score), "{}", piece.score);
      json.BeginArray().String(piece.text).Json(score).EndArray();
    }
    json.EndArray();
  });
}

}  // namespace embedding
