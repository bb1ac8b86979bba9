#include "api/tei.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_reader.h"
#include "api/unsupported_fields.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "engine/answer_refused.h"
#include "text/tokenizer.h"

namespace embedding::api {
namespace {

constexpr UnsupportedField kUnsupported[] = {kParameters};

// begins[i] is the byte where character i of `text` begins; one entry more for the end.
std::vector<uint32_t> CharacterBegins(std::string_view text) {
  std::vector<uint32_t> begins;
  begins.reserve(text.size() + 1);
  for (size_t i = 0; i < text.size(); i += Utf8Length(static_cast<unsigned char>(text[i]))) {
    begins.push_back(static_cast<uint32_t>(i));
  }
  begins.push_back(static_cast<uint32_t>(text.size()));
  return begins;
}

// Writes [{"id","text","special","start","stop"},...]. `text` is the piece of the input that the
// token covers; a token that the template added covers none: it has its own text and null for
// start and stop.
void WriteTokens(std::string_view text, const Encoding& encoding, const Tokenizer& tokenizer,
                 JsonWriter& json) {
  const std::vector<uint32_t> begins = CharacterBegins(text);
  json.BeginArray();
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    json.BeginObject().Key("id").Integer(encoding.ids[i]).Key("text");
    if (encoding.special_mask[i] != 0) {
      json.String(tokenizer.IdToToken(encoding.ids[i])).Key("special").Bool(true);
      json.Key("start").Null().Key("stop").Null().EndObject();
      continue;
    }
    const auto [start, stop] = encoding.offsets[i];
    json.String(text.substr(begins[start], begins[stop] - begins[start]));
    json.Key("special").Bool(false).Key("start").Integer(start).Key("stop").Integer(stop);
    json.EndObject();
  }
  json.EndArray();
}

// The inputs, each with the prompt before it that embedding it would put there.
Result<std::vector<std::string>> Inputs(const Call& call, const JsonReader& json,
                                        const Embedder& model) {
  ASSIGN_OR_RETURN(std::vector<std::string> inputs,
                   json.Texts("inputs", MaxTexts(call.options, TextLimit::kCohere)));
  ASSIGN_OR_RETURN(const std::optional<std::string> prompt_name, json.String("prompt_name"));
  ASSIGN_OR_RETURN(const std::string prompt, model.Prompt(prompt_name));
  for (std::string& input : inputs) input.insert(0, prompt);
  return inputs;
}

Result<Response> Tokenize(const Call& call, const JsonReader& json) {
  ASSIGN_OR_RETURN(const Embedder* model, call.Select(Purpose::kEmbed, json));
  ASSIGN_OR_RETURN(const std::vector<std::string> inputs, Inputs(call, json, *model));
  ASSIGN_OR_RETURN(const bool add_special_tokens, json.Bool("add_special_tokens", true));
  RETURN_IF_ERROR(json.RefuseAllOf(kUnsupported));
  const Tokenizer& tokenizer = model->tokenizer();
  const EncodeOptions options = {.add_special_tokens = add_special_tokens, .with_offsets = true};
  Response response{.charge = ByteCharge(call.answers)};
  JsonWriter out(response.body);
  out.BeginArray();
  for (const std::string& input : inputs) {
    // What an encoding with offsets takes beside the answer, at a token a byte.
    constexpr size_t kEncodingBytesPerByte = 64;
    ByteCharge encoding(call.answers);
    const size_t bytes = kEncodingBytesPerByte * input.size();
    if (!encoding.GrowTo(bytes)) return AnswerRefused(bytes, call.answers.limit());
    WriteTokens(input, tokenizer.Encode(input, options), tokenizer, out);
    RETURN_IF_ERROR(call.Charge(response.body, response.charge));
  }
  out.EndArray();
  return response;
}

Result<Response> Decode(const Call& call, const JsonReader& json) {
  ASSIGN_OR_RETURN(const auto ids,
                   json.TokenIds("ids", MaxTexts(call.options, TextLimit::kCohere)));
  ASSIGN_OR_RETURN(const bool skip_special_tokens, json.Bool("skip_special_tokens", true));
  RETURN_IF_ERROR(json.RefuseAllOf(kUnsupported));
  ASSIGN_OR_RETURN(const Embedder* model, call.Select(Purpose::kEmbed, json));
  const Tokenizer& tokenizer = model->tokenizer();
  Response response{.charge = ByteCharge(call.answers)};
  JsonWriter out(response.body);
  out.BeginArray();
  for (const std::vector<int32_t>& each : ids) {
    ASSIGN_OR_RETURN(const std::string text, tokenizer.Decode(each, skip_special_tokens));
    out.String(text);
    RETURN_IF_ERROR(call.Charge(response.body, response.charge));
  }
  out.EndArray();
  return response;
}

}  // namespace

void TeiDecode(const CallPtr& call, const JsonReader& json) {
  Result<Response> response = Decode(*call, json);
  if (!response.ok()) return call->Fail(response.error());
  call->Answer(*std::move(response));
}

void TeiTokenize(const CallPtr& call, const JsonReader& json) {
  Result<Response> response = Tokenize(*call, json);
  if (!response.ok()) return call->Fail(response.error());
  call->Answer(*std::move(response));
}

}  // namespace embedding::api
