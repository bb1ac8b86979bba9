// A request's JSON body, read field by field with errors that name the field and what was given.
//
// What is read is base/json_document.h's; how it is taken and worded is a request's. Unknown fields
// are ignored, and null stands for an absent field. Booleans and integers may come in the other
// forms that pydantic takes, whose users wrote "true" and 1. Copies read the same body. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_document.h"
#include "base/result.h"

namespace embedding::api {

// Texts, or token ids in their place; one of the two is empty.
struct Inputs {
  std::vector<std::string> texts;
  std::vector<std::vector<int32_t>> input_ids;
};

// Texts, each with a partner or none with one.
struct Sequences {
  std::vector<std::string> texts;
  std::vector<std::string> text_pairs;  // empty, or as many
  bool single = false;                  // one that did not come in an array of them
};

// A field of a dialect that would change the answer in a way that this server cannot.
struct UnsupportedField {
  std::string_view name;
  std::string_view harmless;  // the value, as JSON, with which it changes nothing
  std::string_view advice;
};

class JsonReader {
 public:
  // What is wrong in fields that nobody reads does no harm: `body` is put right for it
  // (json_repair.h). Errors: kMalformed for what is not JSON or
  // not UTF-8; kInvalidArgument if it is not an object.
  Status Parse(std::string& body);

  // From here on fields are those of the object in `field`; errors name them "field.name".
  Status Enter(std::string_view field);

  // The fields of the object. Only after Parse has succeeded. Errors: kInvalidArgument.
  bool Has(std::string_view field) const;
  // How many items the field has: of an array all, of anything else 1; 0 if it is absent.
  size_t Count(std::string_view field) const;
  Result<bool> Bool(std::string_view field, bool if_absent) const;
  Result<std::optional<size_t>> PositiveInteger(std::string_view field) const;
  // The same, or -1 for no limit, which is as if it were absent.
  Result<std::optional<size_t>> TokenLimit(std::string_view field) const;
  Result<std::optional<std::string>> String(std::string_view field) const;
  Result<std::string> RequiredString(std::string_view field) const;
  // The place among `choices` of the string that the field holds; 0 if it is absent.
  Result<size_t> Choice(std::string_view field, std::span<const std::string_view> choices) const;
  // `count` numbers that are not negative, nor all 0, as the weights of a mean, whose ratios are
  // all that counts: scaled so that the largest is from 0.5 to 1. Nothing if absent.
  Result<std::optional<std::vector<float>>> Weights(std::string_view field, size_t count) const;
  // A string, or an array of 1 to `max_texts` of them; a single string counts as an array of one.
  // Errors besides: kEmpty for []; kMalformed for a text with an unpaired surrogate.
  Result<std::vector<std::string>> Texts(std::string_view field, size_t max_texts) const;
  // As Texts, and token ids, [ids] or [[ids]], in place of the text or texts.
  Result<Inputs> TextsOrIds(std::string_view field, size_t max_texts) const;
  // As Texts, of which each item may also be an array of one text, or of two: a pair. An array of
  // two strings is one pair.
  Result<Sequences> TextsOrPairs(std::string_view field, size_t max_texts) const;
  // Token ids, [ids] or [[ids]].
  Result<std::vector<std::vector<int32_t>>> TokenIds(std::string_view field,
                                                     size_t max_texts) const;
  // As Texts for an array, of which each item may also be an object with the text in "text".
  Result<std::vector<std::string>> Documents(std::string_view field, size_t max_texts) const;
  // A reader of each item of an array of 1 to `max_items` objects; errors name fields as if the
  // item were all that there is.
  Result<std::vector<JsonReader>> Objects(std::string_view field, size_t max_items) const;
  // Refuses what this server cannot do, with what to do instead.
  Status RefuseAllOf(std::span<const UnsupportedField> fields) const;
  // Refuses every field that is none of `known`.
  Status RefuseAllBut(std::span<const std::string_view> known) const;

 private:
  // Has fields be those of `value`, whose name is for the error if it is no object.
  Status ReadObject(simdjson::dom::element value, std::string_view name);
  // The field's value, if it is there and not null.
  std::optional<simdjson::dom::element> Find(std::string_view field) const;
  static std::optional<int64_t> Integer(simdjson::dom::element value);
  Error NoInteger(std::string_view field, std::string_view expected,
                  simdjson::dom::element value) const;
  std::string NameOf(std::string_view field) const { return prefix_ + std::string(field); }
  // A string's text; what else it is, is not what was `expected`. Errors besides: kMalformed.
  Result<std::string> Text(simdjson::dom::element value, std::string field,
                           std::string_view expected) const;
  // The items of an array of 1 to `max_texts`.
  Result<std::vector<simdjson::dom::element>> Items(const std::string& name,
                                                    simdjson::dom::array array,
                                                    size_t max_texts) const;

  std::shared_ptr<const JsonDocument> document_;  // has what object_ shows
  simdjson::dom::object object_;
  std::string prefix_;                    // of fields' names in errors
  bool has_unpaired_surrogates_ = false;  // as kUnpairedSurrogate
};

}  // namespace embedding::api
