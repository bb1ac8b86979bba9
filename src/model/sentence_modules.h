// What follows the encoder in a sentence-transformers model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model_spec.h"
#include "model/module_list.h"

namespace embedding {

// Fills `normalize` and the pooled and SPLADE heads of a spec whose `directory`, encoder and labels
// are known, from its modules and their own config.json, and clears the labels where the modules
// want no classifier. Errors: kModelLoad, naming the file, module and field.
Status ReadSentenceModules(const std::vector<ModuleEntry>& modules, ModelSpec& spec);

// Whether a list of modules may begin with one of this kind.
bool IsInputModule(std::string_view kind);

// That a module cannot be there, and which lists can.
Error UnsupportedModule(const ModuleEntry& module);

// The mode that 1_Pooling/config.json calls so: "cls". Errors: kModelLoad.
Result<Pooling> PoolingOfName(std::string_view name);

// What becomes of the tokens' vectors: the modes' names joined by '+', such as "cls", or
// kSpladePooling; empty for a classifier.
std::string PoolingName(const Heads& heads);

}  // namespace embedding
