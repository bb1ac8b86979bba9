// Files by their names: those that hold weights which are read here, and those that do not.
#pragma once

#include <string>
#include <string_view>

namespace embedding {

// "GGUF" of model-Q4.gguf, "ONNX" of onnx/model.onnx: the form of weights that other programs read
// and this one does not. Empty for any other file.
std::string_view ForeignFormat(std::string_view file);

// Whether this is the name of a file that only a model has: weights in any form.
bool IsWeightsName(std::string_view file);

// What to say of weights in such a form: what is read instead, and where that is found.
std::string AdviceOn(std::string_view format);

// Whether this is the name of a file of a LoRA adapter, and what to say of a model that is one.
bool IsAdapter(std::string_view file);
std::string AdviceOnAdapters();

// What to say of a model that has such a file and no tokenizer.json: how that is made of it. Empty
// for a file that is no tokenizer's vocabulary.
std::string AdviceOnVocabulary(std::string_view file);

// Whether this is "0_Transformer" or another folder that sentence-transformers keeps a module in:
// <digits>_<Name>.
bool IsModuleFolder(std::string_view folder);

}  // namespace embedding
