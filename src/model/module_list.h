// modules.json: what a sentence-transformers model is put together from.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace embedding {

struct ModuleEntry {
  std::string where;  // "DIR/modules.json: module 1"
  std::string kind;   // "Pooling"
  std::string path;   // of its folder below the model's directory, or empty for that itself
  // Whether it is a Transformer by code of the model's own (custom_st), which is not run: what it
  // does besides has to be known.
  bool is_custom = false;
};

// The modules of `path` in their order. A module's type is a Python path, which has changed with
// the library's versions ("sentence_transformers.models.Pooling",
// "sentence_transformers.sentence_transformer.modules.pooling.Pooling"); its last part, the kind,
// has not. Errors: kModelLoad for a malformed file, a type of another package and a path that leads
// out of the directory.
Result<std::vector<ModuleEntry>> ReadModuleList(const std::string& path);

// The module of that type whose folder is `path`; `where` names it in errors. Errors as above.
Result<ModuleEntry> MakeModuleEntry(const std::string& where, const std::string& type,
                                    const std::string& path);

}  // namespace embedding
