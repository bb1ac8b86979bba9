#include "model/module_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/json_value.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

// Whether `path` names something below the directory that it is relative to.
bool StaysInside(const std::filesystem::path& path) {
  return !path.has_root_path() && std::find(path.begin(), path.end(), "..") == path.end();
}

Result<ModuleEntry> ReadModule(const std::string& where, const JsonValue& value) {
  const JsonValue fields = value.Named(where);
  RETURN_IF_ERROR(fields.ExpectObject());
  ASSIGN_OR_RETURN(const std::string type, fields.String("type"));
  ASSIGN_OR_RETURN(const std::string path, fields.String("path"));
  return MakeModuleEntry(where, type, path);
}

}  // namespace

Result<ModuleEntry> MakeModuleEntry(const std::string& where, const std::string& type,
                                    const std::string& path) {
  ModuleEntry module{.where = where, .kind = {}, .path = path};
  module.is_custom = type == "custom_st.Transformer";
  if (!module.is_custom && !type.starts_with("sentence_transformers.")) {
    return ModelError("{}: type {} is not of sentence_transformers; a model's own code is not run",
                      where, Quoted(type));
  }
  module.kind = type.substr(type.rfind('.') + 1);
  if (!StaysInside(module.path)) {
    return ModelError("{}: path {} leads out of the model's directory", where, Quoted(module.path));
  }
  if (HasControlCharacter(module.path)) {
    return ModelError("{}: path {} has a control character", where, Quoted(module.path));
  }
  return module;
}

Result<std::vector<ModuleEntry>> ReadModuleList(const std::string& path) {
  ASSIGN_OR_RETURN(const JsonValue list, JsonValue::FromFile(path));
  ASSIGN_OR_RETURN(const std::vector<JsonValue> values, list.Elements());
  std::vector<ModuleEntry> modules;
  for (const JsonValue& value : values) {
    ASSIGN_OR_RETURN(ModuleEntry module,
                     ReadModule(fmt::format("{}: module {}", path, modules.size()), value));
    modules.push_back(std::move(module));
  }
  return modules;
}

}  // namespace embedding
