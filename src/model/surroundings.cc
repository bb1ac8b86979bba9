#include "model/surroundings.h"

#include <string>
#include <string_view>
#include <utility>

#include "weights/model_error.h"

namespace embedding {
namespace {

using Piece = NamedPostProcessor::Piece;
using Kind = Template::Piece::Kind;

Piece First() { return {Kind::kFirst, 0}; }
Piece Second(int32_t type_id) { return {Kind::kSecond, type_id}; }
Piece Special(const std::string& token, int32_t type_id = 0) {
  return {Kind::kSpecial, type_id, token};
}

Result<std::string> TokenOf(std::string_view name, const ClassArguments& arguments) {
  std::string token = arguments.tokens.Text(name);
  if (!token.empty()) return token;
  return ModelError("{}: {} is null, but the tokenizer's class puts that token at an end of a text",
                    arguments.config.place(), name);
}

NamedPostProcessor Bert(const std::string& first, const std::string& last) {
  NamedPostProcessor around;
  around.single = {Special(first), First(), Special(last)};
  around.pair = {Special(first), First(), Special(last), Second(1), Special(last, 1)};
  return around;
}

NamedPostProcessor Roberta(const std::string& first, const std::string& last) {
  NamedPostProcessor around;
  around.single = {Special(first), First(), Special(last)};
  around.pair = {Special(first), First(), Special(last), Special(last), Second(0), Special(last)};
  return around;
}

// What add_bos_token and add_eos_token say (update_post_processor).
Result<NamedPostProcessor> ByArguments(const ClassArguments& arguments) {
  ASSIGN_OR_RETURN(const bool add_bos, arguments.config.Bool("add_bos_token", false));
  ASSIGN_OR_RETURN(const bool add_eos, arguments.config.Bool("add_eos_token", false));
  const std::string bos = add_bos ? arguments.tokens.Text("bos_token") : "";
  const std::string eos = add_eos ? arguments.tokens.Text("eos_token") : "";
  NamedPostProcessor around;
  if (!bos.empty()) around.single.push_back(Special(bos));
  around.single.push_back(First());
  if (!eos.empty()) around.single.push_back(Special(eos));
  around.pair = around.single;
  if (!bos.empty()) around.pair.push_back(Special(bos, 1));
  around.pair.push_back(Second(1));
  if (!eos.empty()) around.pair.push_back(Special(eos, 1));
  return around;
}

bool SaysArguments(const JsonValue& config) {
  for (const auto& [name, value] : config.Fields()) {
    if (name == "add_bos_token" || name == "add_eos_token") return true;
  }
  return false;
}

Result<NamedPostProcessor> OfClass(const TokenizerClass& of_class,
                                   const ClassArguments& arguments) {
  const Surroundings kind = of_class.surroundings;
  NamedPostProcessor around;
  if (kind == Surroundings::kT5) {
    ASSIGN_OR_RETURN(const std::string last, TokenOf("eos_token", arguments));
    around.single = {First(), Special(last)};
    around.pair = {First(), Special(last), Second(0), Special(last)};
    return around;
  }
  const bool by_bos = kind == Surroundings::kXlmRoberta;
  ASSIGN_OR_RETURN(const std::string first, TokenOf(by_bos ? "bos_token" : "cls_token", arguments));
  ASSIGN_OR_RETURN(const std::string last, TokenOf(by_bos ? "eos_token" : "sep_token", arguments));
  if (kind == Surroundings::kBert || kind == Surroundings::kBertUnlessDocuments) {
    return Bert(first, last);
  }
  around = Roberta(first, last);
  if (by_bos) return around;
  around.trims_offsets = true;
  if (of_class.model != "BPE") return around;  // MPNet's says neither
  ASSIGN_OR_RETURN(around.trims_offsets, arguments.config.Bool("trim_offsets", true));
  ASSIGN_OR_RETURN(around.adds_prefix_space, arguments.config.Bool("add_prefix_space", false));
  return around;
}

}  // namespace

Result<std::optional<NamedPostProcessor>> SurroundingsOf(const TokenizerClass& of_class,
                                                         const ClassArguments& arguments,
                                                         bool document_has_them) {
  std::optional<NamedPostProcessor> around;
  bool are_others = of_class.surroundings == Surroundings::kDocuments;
  if (of_class.surroundings == Surroundings::kBertUnlessDocuments) {
    are_others = arguments.has_tokenizer_json ? document_has_them : SaysArguments(arguments.config);
  }
  if (!are_others) {
    ASSIGN_OR_RETURN(around, OfClass(of_class, arguments));
  } else if (!arguments.has_tokenizer_json) {
    ASSIGN_OR_RETURN(around, ByArguments(arguments));
  }
  return around;
}

}  // namespace embedding
