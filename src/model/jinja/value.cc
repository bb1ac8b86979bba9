#include "model/jinja/value.h"

#include "weights/model_error.h"

namespace embedding::jinja {

Value Entry(const Dict& dict, std::string_view name) {
  for (const auto& [known, value] : dict) {
    if (known == name) return value;
  }
  return {};
}

Status SetEntry(Dict& dict, const std::string& name, Value value) {
  constexpr size_t kMaxEntries = 256;
  for (auto& [known, old] : dict) {
    if (known == name) {
      old = std::move(value);
      return {};
    }
  }
  if (dict.size() == kMaxEntries) return ModelError("there are too many names");
  dict.emplace_back(name, std::move(value));
  return {};
}

size_t SizeOf(const Value& value) {
  size_t bytes = sizeof(Value);
  const auto add = [&](const Value& of) {
    if (of.text() == nullptr) return;
    for (const Piece& piece : of.text()->pieces()) bytes += sizeof(Piece) + piece.text.size();
  };
  add(value);
  if (const List* const list = value.list()) {
    bytes += list->size() * sizeof(Value);
    for (const Value& each : *list) add(each);
  }
  return bytes;
}

Result<bool> IsTrue(const Value& value) {
  if (const bool* const boolean = value.boolean()) return *boolean;
  if (const int64_t* const integer = value.integer()) return *integer != 0;
  if (const List* const list = value.list()) return !list->empty();
  if (const Dict* const dict = value.dict()) return !dict->empty();
  const Text* const text = value.text();
  if (text == nullptr) return false;
  for (const Piece& piece : text->pieces()) {
    if (piece.place == Place::kNone) return true;
  }
  if (text->pieces().empty()) return false;
  return ModelError("whether a text is empty decides what is rendered");
}

Result<bool> AreEqual(const Value& a, const Value& b) {
  if (a.is.index() != b.is.index()) return false;
  if (const bool* const boolean = a.boolean()) return *boolean == *b.boolean();
  if (const int64_t* const integer = a.integer()) return *integer == *b.integer();
  if (const Text* const text = a.text()) {
    if (text->is_said() && b.text()->is_said()) return *text == *b.text();
    return ModelError("what a text says decides what is rendered");
  }
  if (a.list() != nullptr || a.dict() != nullptr) {
    return ModelError("comparing lists and dicts is not supported");
  }
  return true;
}

Result<Text> Written(const Value& value) {
  if (value.is_undefined()) return Text();
  if (value.is_none()) return Text("None");
  if (const bool* const boolean = value.boolean()) return Text(*boolean ? "True" : "False");
  if (const int64_t* const integer = value.integer()) return Text(std::to_string(*integer));
  if (const Text* const text = value.text()) return *text;
  return ModelError("writing a list or a dict is not supported");
}

Result<std::string> Said(const Value& value, std::string_view what) {
  const Text* const text = value.text();
  if (text == nullptr) return ModelError("{} of what is no text", what);
  if (!text->is_said()) return ModelError("{} of a text that is not known yet", what);
  return text->said();
}

}  // namespace embedding::jinja
