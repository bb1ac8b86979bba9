// What is in a directory: a model, or what else was given for one.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace embedding {

// Whether there is all that a model needs, be it in the folder of a module: more than the few files
// that a tokenizer or a look at the configuration leaves in a cache.
bool HasModel(const std::filesystem::path& directory);

// What was meant by a directory that cannot be a model, and what to give or do instead; what else
// is wrong in one is the loader's to find. Errors: kModelLoad.
Status CheckModelDirectory(const std::string& directory);

}  // namespace embedding
