#include "weights/weight_files.h"

#include <algorithm>
#include <iterator>

#include "weights/path.h"

namespace embedding {
namespace {

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string WeightsForm::entry() const {
  std::string name(stem);
  name.append(extension);
  if (sharded) name.append(".index.json");
  return name;
}

bool WeightsForm::IsShard(std::string_view name) const {
  if (!name.starts_with(stem) || !name.ends_with(extension)) return false;
  if (name.size() < stem.size() + extension.size()) return false;
  name.remove_prefix(stem.size());
  name.remove_suffix(extension.size());
  const size_t of = name.find("-of-");
  return name.starts_with('-') && of != std::string_view::npos && of > 0 &&
         IsDigits(name.substr(1, of - 1)) && IsDigits(name.substr(of + 4));
}

bool HasWeights(const std::filesystem::path& directory) {
  return std::any_of(std::begin(kWeightsForms), std::end(kWeightsForms),
                     [&](const WeightsForm& form) { return Exists(directory / form.entry()); });
}

}  // namespace embedding
