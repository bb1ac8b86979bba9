// Where the tests find their files. The paths are in one object file alone, so that the others are
// the same in every clone, and a cache of compiled files has them.
#pragma once

#include <string>
#include <string_view>

namespace embedding {

// The path of a file or folder of tests/data; "" is that folder.
std::string TestData(std::string_view name);

// The same of models/, where scripts/fetch_model.sh and fetch_tokenizers.sh put what they bring.
std::string FetchedModel(std::string_view name);

}  // namespace embedding
