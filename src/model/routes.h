// The ways that a text may take through a model: one, or, where a Router of sentence-transformers
// is among its modules (Asym, as it was called before version 5), one for each of its routes.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/module_list.h"

namespace embedding {

struct Routes {
  // Whether the directory has a modules.json. Without it there is one list, and nothing in it.
  bool has_modules = false;
  // The modules of each way, without Dropout; those of routes that are equal once.
  std::vector<std::vector<ModuleEntry>> lists;
  // Which of the lists a text with a prompt of that name takes, as with encode_query and
  // encode_document; empty where there is no Router.
  std::map<std::string, size_t> of_prompt = {};
  // Which of them all others take; none if they must have one of the prompts above.
  std::optional<size_t> of_others = 0;

  bool has_router() const { return !of_prompt.empty(); }
};

// Reads modules.json of `directory` and a Router's router_config.json, by the names of before
// config.json. Routes by pictures and sounds are not there for texts. Errors: kModelLoad for
// malformed files, for two Routers, and for a route that leads nowhere.
Result<Routes> ReadRoutes(const std::string& directory);

}  // namespace embedding
