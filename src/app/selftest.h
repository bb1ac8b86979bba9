// Whether a model's vectors are right, as far as that can be told without another program: what its
// authors have published where that is known, and what holds for every model.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "embedding/engine.h"

namespace embedding::app {

struct Check {
  std::string name;
  bool passed = false;
  std::string found;  // what was seen, in a few words
};

// Errors: those of the embedder, where a check cannot be made at all.
Result<std::vector<Check>> SelfTest(Embedder& embedder);

}  // namespace embedding::app
