// The names of models on the Hugging Face hub.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding {

// Errors: kModelLoad unless this is "name" or "org/name" as the hub allows them: letters, digits,
// '-', '_' and '.', no part beginning or ending with '-' or '.', no "--" and no "..".
Status CheckModelId(std::string_view id);

// The ids that a valid name may stand for, likeliest first. "org/name" stands for itself, and so
// does a name of the hub's first years, such as bert-base-uncased. Any other name without a slash
// is one of the organisations that sentence-transformers puts before it:
// SentenceTransformer("all-MiniLM-L6-v2"), CrossEncoder("ms-marco-MiniLM-L6-v2").
std::vector<std::string> HubIdsOf(const std::string& name);

}  // namespace embedding
