#include "model/file_formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "base/ascii.h"

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

bool IsAdapter(std::string_view file) {
  return file == "adapter_config.json" || file == "adapter_model.safetensors" ||
         file == "adapter_model.bin";
}

std::string AdviceOnAdapters() {
  return "A LoRA adapter is no model by itself: load it upon its base model with peft, call "
         "merge_and_unload(), save that with save_pretrained() beside the tokenizer, and give the "
         "directory";
}

std::string AdviceOnVocabulary(std::string_view file) {
  if (file == "vocab.json" || file == "merges.txt") {
    return fmt::format(
        "and {} is of a byte-level BPE tokenizer, which is not supported; give a model with a "
        "WordPiece or Unigram tokenizer",
        file);
  }
  if (file != "vocab.txt" && file != "sentencepiece.bpe.model" && file != "spiece.model") return {};
  return fmt::format(
      "which is made of {} by Python's transformers: "
      "AutoTokenizer.from_pretrained(MODEL).save_pretrained(DIRECTORY), with the model's files in "
      "the same DIRECTORY",
      file);
}

bool IsModuleFolder(std::string_view folder) {
  const size_t digits = std::min(folder.find_first_not_of("0123456789"), folder.size());
  const std::string_view name = folder.substr(digits);
  return digits > 0 && name.size() > 1 && name.front() == '_' &&
         std::all_of(name.begin() + 1, name.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '_' || c == '-'; });
}

}  // namespace embedding
