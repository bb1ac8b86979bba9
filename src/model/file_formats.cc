#include "model/file_formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <iterator>

#include "base/ascii.h"
#include "model/files.h"

namespace embedding {
namespace {

struct Format {
  std::string_view ending;
  std::string_view name;
};

constexpr Format kForeign[] = {
    {".gguf", "GGUF"},
    {".onnx", "ONNX"},
    {"openvino_model.xml", "OpenVINO"},
    {"tf_model.h5", "TensorFlow"},
    {"flax_model.msgpack", "Flax"},
    {".tflite", "TensorFlow Lite"},
    {".mlmodel", "Core ML"},
};

bool EndsWith(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() &&
         std::equal(ending.begin(), ending.end(),
                    text.end() - static_cast<ptrdiff_t>(ending.size()), [](char a, char b) {
                      return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
                    });
}

}  // namespace

std::string_view ForeignFormat(std::string_view file) {
  for (const Format& format : kForeign) {
    if (EndsWith(file, format.ending)) return format.name;
  }
  return {};
}

bool IsWeightsName(std::string_view file) {
  return !ForeignFormat(file).empty() || EndsWith(file, ".safetensors") || EndsWith(file, ".bin") ||
         EndsWith(file, ".pt");
}

std::string AdviceOn(std::string_view format) {
  return fmt::format(
      "{} files are not read here; give the model that they were made from: its name on the hub, "
      "such as BAAI/bge-m3, or a directory with its config.json, tokenizer.json and "
      "model.safetensors (or pytorch_model.bin)",
      format);
}

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return IsAlphanumeric(c) || c == '.' || c == '-' || c == '_';
  });
}

bool IsAdapter(std::string_view file) {
  return file == "adapter_config.json" || file == "adapter_model.safetensors" ||
         file == "adapter_model.bin";
}

std::string AdviceOnAdapters() {
  return "A LoRA adapter is no model by itself: load it upon its base model with peft, call "
         "merge_and_unload(), save that with save_pretrained() beside the tokenizer, and give the "
         "directory";
}

bool IsVocabularyFile(std::string_view file) {
  return std::find(std::begin(kVocabularyFiles), std::end(kVocabularyFiles), file) !=
         std::end(kVocabularyFiles);
}

bool HasTokenizer(const std::function<bool(std::string_view)>& has) {
  if (has("tokenizer.json")) return true;
  return std::any_of(std::begin(kVocabularyFiles), std::end(kVocabularyFiles),
                     [&](std::string_view file) {
                       if (file == "merges.txt") return false;  // which is nothing by itself
                       return has(file) && (file != "vocab.json" || has("merges.txt"));
                     });
}

std::string AdviceOnTokenizers() {
  return "no tokenizer.json, nor another file that a tokenizer is made of: vocab.txt, vocab.json "
         "with merges.txt, sentencepiece.bpe.model, spiece.model, spm.model or tokenizer.model";
}

bool IsModuleFolder(std::string_view folder) {
  const auto is_plain = [](char c) { return IsAlphanumeric(c) || c == '_' || c == '-'; };
  if (!std::all_of(folder.begin(), folder.end(), is_plain)) return false;
  constexpr std::string_view kDigits = "0123456789";
  const size_t digits = std::min(folder.find_first_not_of(kDigits), folder.size());
  if (digits > 0) return folder.substr(digits).starts_with('_') && folder.size() > digits + 1;
  // A class's name, after a number.
  const size_t name = folder.rfind('_');
  if (name == std::string_view::npos || name + 1 == folder.size()) return false;
  const bool is_class = folder[name + 1] >= 'A' && folder[name + 1] <= 'Z';
  const size_t number = folder.rfind('_', name - 1);
  return is_class && number != std::string_view::npos && number > 0 && number + 1 < name &&
         folder.substr(number + 1, name - number - 1).find_first_not_of(kDigits) ==
             std::string_view::npos;
}

}  // namespace embedding
