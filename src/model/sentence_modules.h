// What follows the encoder in a sentence-transformers model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model_spec.h"
#include "model/module_list.h"

namespace embedding {

// Fills `pooling`, `dense`, `normalize` and `splade` of a spec whose `directory` and `encoder` are
// known, from its modules and their own config.json, and clears the encoder's labels where the
// modules want no classifier. Errors: kModelLoad, naming the file, module and field.
Status ReadSentenceModules(const std::vector<ModuleEntry>& modules, ModelSpec& spec);

// That a module cannot be there, and which lists can.
Error UnsupportedModule(const ModuleEntry& module);

// The mode that 1_Pooling/config.json calls so: "cls". Errors: kModelLoad.
Result<Pooling> PoolingOfName(std::string_view name);

// The modes' names joined by '+': "cls".
std::string PoolingName(const std::vector<Pooling>& pooling);

}  // namespace embedding
