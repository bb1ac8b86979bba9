#include "test_data.h"

namespace embedding {

std::string TestData(std::string_view name) { return TEST_DATA_DIR "/" + std::string(name); }

std::string FetchedModel(std::string_view name) { return MODELS_DIR "/" + std::string(name); }

}  // namespace embedding
