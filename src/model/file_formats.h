// Files by their names: those that hold weights which are read here, and those that do not.
#pragma once

#include <functional>
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

// Whether a name that comes from elsewhere may be that of a file, or of a task's folder: of
// letters, digits, '.', '-' and '_', and not hidden.
bool IsPlainName(std::string_view name);

// Whether this is the name of a file of a LoRA adapter, and what to say of a model that is one.
bool IsAdapter(std::string_view file);
std::string AdviceOnAdapters();

// Whether this is the name of a file of a tokenizer's vocabulary (kVocabularyFiles).
bool IsVocabularyFile(std::string_view file);

// Whether a folder has a tokenizer: tokenizer.json, or a vocabulary. `has` says whether there is a
// file of that name.
bool HasTokenizer(const std::function<bool(std::string_view)>& has);
// What to say of a folder that has none: which files it could have.
std::string AdviceOnTokenizers();

// Whether this is "0_Transformer" or another folder that sentence-transformers keeps a module in:
// <digits>_<Name>, or, of a Router's, <route>_<digits>_<Name>, as "query_0_Transformer".
bool IsModuleFolder(std::string_view folder);

}  // namespace embedding
