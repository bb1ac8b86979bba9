#include "model/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/json_value.h"
#include "weights/model_error.h"
#include "weights/path.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModality = "text";
// More of these no model has; what looks for one among others need not be fast then.
constexpr size_t kMaxRoutes = 64;
constexpr size_t kMaxModules = 64;

// A key of route_mappings: the Python tuple (task, modality) as text, "('query', 'text')" or
// "(None, 'text')". Nothing for what else is a key, which is of other modalities or of no meaning.
struct MappingKey {
  std::optional<std::string> task;
  std::optional<std::string> modality;

  bool operator==(const MappingKey&) const = default;
};

std::optional<MappingKey> ParseKey(std::string_view key) {
  // Takes 'text' or None, which may be nothing.
  const auto take = [&](std::optional<std::string>& part) {
    constexpr std::string_view kNone = "None";
    if (key.starts_with(kNone)) {
      key.remove_prefix(kNone.size());
      return true;
    }
    if (key.empty() || (key[0] != '\'' && key[0] != '"')) return false;
    const size_t end = key.find(key[0], 1);
    if (end == std::string_view::npos) return false;
    part = key.substr(1, end - 1);
    key.remove_prefix(end + 1);
    return true;
  };
  const auto take_text = [&](std::string_view text) {
    if (!key.starts_with(text)) return false;
    key.remove_prefix(text.size());
    return true;
  };
  MappingKey parsed;
  if (take_text("(") && take(parsed.task) && take_text(", ") && take(parsed.modality) &&
      take_text(")") && key.empty()) {
    return parsed;
  }
  return std::nullopt;
}

// What a Router's file says.
struct Router {
  std::vector<std::pair<std::string, std::vector<ModuleEntry>>> routes;  // by name
  std::vector<std::pair<MappingKey, std::string>> mappings;
  std::optional<std::string> default_route;

  const std::string* Mapped(const MappingKey& key) const {
    for (const auto& [known, route] : mappings) {
      if (known == key) return &route;
    }
    return nullptr;
  }
  std::optional<size_t> Named(std::string_view name) const {
    for (size_t i = 0; i < routes.size(); ++i) {
      if (routes[i].first == name) return i;
    }
    return std::nullopt;
  }
  // The route of a text for a task, or for none.
  std::optional<size_t> RouteOf(const std::optional<std::string>& task) const {
    const std::string modality(kModality);
    for (const MappingKey& key : {MappingKey{task, modality}, MappingKey{task, {}},
                                  MappingKey{{}, modality}, MappingKey{{}, {}}}) {
      if (const std::string* const route = Mapped(key)) return Named(*route);
    }
    if (task) return Named(*task);
    if (const auto route = Named(modality)) return route;
    return default_route ? Named(*default_route) : std::nullopt;
  }
};

Result<std::vector<ModuleEntry>> ReadRoute(const ModuleEntry& router, const JsonValue& ids,
                                           const JsonValue& types) {
  ASSIGN_OR_RETURN(const std::vector<JsonValue> values, ids.Elements());
  if (values.empty() || values.size() > kMaxModules) {
    return ids.Fail(fmt::format("must have 1 to {} modules", kMaxModules));
  }
  std::vector<ModuleEntry> modules;
  for (const JsonValue& value : values) {
    ASSIGN_OR_RETURN(const std::string_view id, value.AsString());
    ASSIGN_OR_RETURN(const std::string type, types.String(id));
    ASSIGN_OR_RETURN(
        ModuleEntry module,
        MakeModuleEntry(value.place(), type, (fs::path(router.path) / std::string(id)).string()));
    if (module.kind == "Router" || module.kind == "Asym") {
      return ModelError("{}: a Router in a Router is not supported", value.place());
    }
    modules.push_back(std::move(module));
  }
  return modules;
}

Status ReadParameters(const JsonValue& parameters, Router& router) {
  ASSIGN_OR_RETURN(const bool allow_empty, parameters.Bool("allow_empty_key", true));
  if (parameters.Has("default_route")) {
    ASSIGN_OR_RETURN(router.default_route, parameters.String("default_route"));
    if (!router.Named(*router.default_route)) {
      return parameters.Wrong("default_route", "the name of one of the routes");
    }
  } else if (allow_empty) {
    router.default_route = router.routes.front().first;
  }
  const auto mappings = parameters.Find("route_mappings");
  if (!mappings) return {};
  RETURN_IF_ERROR(mappings->ExpectObject());
  const auto fields = mappings->Fields();
  if (fields.size() > kMaxRoutes * kMaxRoutes) return mappings->Fail("has too many entries");
  for (const auto& [key, value] : fields) {
    ASSIGN_OR_RETURN(const std::string_view route, value.AsString());
    if (!router.Named(route)) return value.Wrong("the name of one of the routes");
    if (auto parsed = ParseKey(key)) router.mappings.emplace_back(*std::move(parsed), route);
  }
  return {};
}

Result<Router> ReadRouter(const std::string& directory, const ModuleEntry& module) {
  const fs::path folder = fs::path(directory) / module.path;
  const fs::path path = IsThere(folder / "router_config.json") ? folder / "router_config.json"
                                                               : folder / "config.json";
  ASSIGN_OR_RETURN(const JsonValue file, JsonValue::ObjectFromFile(path.string()));
  ASSIGN_OR_RETURN(const JsonValue types, file.Field("types"));
  ASSIGN_OR_RETURN(const JsonValue structure, file.Field("structure"));
  RETURN_IF_ERROR(structure.ExpectObject());
  const auto fields = structure.Fields();
  if (fields.empty() || fields.size() > kMaxRoutes) {
    return structure.Fail(fmt::format("must have 1 to {} routes", kMaxRoutes));
  }
  Router router;
  for (const auto& [name, ids] : fields) {
    ASSIGN_OR_RETURN(std::vector<ModuleEntry> modules, ReadRoute(module, ids, types));
    router.routes.emplace_back(name, std::move(modules));
  }
  const auto parameters = file.Find("parameters");
  RETURN_IF_ERROR(
      ReadParameters(parameters ? *parameters : JsonValue::EmptyObject(path.string()), router));
  return router;
}

bool AreEqual(const std::vector<ModuleEntry>& a, const std::vector<ModuleEntry>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ModuleEntry& left, const ModuleEntry& right) {
                      return left.kind == right.kind && left.path == right.path;
                    });
}

// The lists that the router, module `at` of `modules`, makes of them.
Routes Spread(const Router& router, const std::vector<ModuleEntry>& modules, size_t at) {
  Routes routes;
  std::vector<size_t> list_of_route;
  for (const auto& [name, of_route] : router.routes) {
    const auto same = std::find_if(
        router.routes.begin(), router.routes.end(),
        [&modules_of = of_route](const auto& each) { return AreEqual(each.second, modules_of); });
    const auto first = static_cast<size_t>(same - router.routes.begin());
    if (first < list_of_route.size()) {
      list_of_route.push_back(list_of_route[first]);
      continue;
    }
    list_of_route.push_back(routes.lists.size());
    std::vector<ModuleEntry>& list =
        routes.lists.emplace_back(modules.begin(), modules.begin() + static_cast<ptrdiff_t>(at));
    list.insert(list.end(), of_route.begin(), of_route.end());
    list.insert(list.end(), modules.begin() + static_cast<ptrdiff_t>(at) + 1, modules.end());
  }
  const auto list_of = [&](const std::optional<std::string>& task) -> std::optional<size_t> {
    const auto route = router.RouteOf(task);
    return route ? std::optional(list_of_route[*route]) : std::nullopt;
  };
  std::vector<std::string> tasks;
  for (const auto& [name, of_route] : router.routes) tasks.push_back(name);
  for (const auto& [key, route] : router.mappings) {
    if (key.task) tasks.push_back(*key.task);
  }
  for (const std::string& task : tasks) {
    if (const auto list = list_of(task)) routes.of_prompt[task] = *list;
  }
  routes.of_others = list_of(std::nullopt);
  return routes;
}

}  // namespace

Result<Routes> ReadRoutes(const std::string& directory) {
  const std::string path = (fs::path(directory) / "modules.json").string();
  if (!IsThere(path)) return Routes{.lists = {{}}};
  ASSIGN_OR_RETURN(std::vector<ModuleEntry> modules, ReadModuleList(path));
  Routes routes = {.has_modules = true, .lists = {modules}};
  std::optional<size_t> found;
  for (size_t i = 0; i < modules.size(); ++i) {
    if (modules[i].kind != "Router" && modules[i].kind != "Asym") continue;
    if (found) return ModelError("{}: a second Router is not supported", modules[i].where);
    found = i;
  }
  if (found) {
    ASSIGN_OR_RETURN(const Router router, ReadRouter(directory, modules[*found]));
    routes = Spread(router, modules, *found);
    routes.has_modules = true;
  }
  for (std::vector<ModuleEntry>& list : routes.lists) {
    // Which does nothing once a model is trained.
    std::erase_if(list, [](const ModuleEntry& module) { return module.kind == "Dropout"; });
  }
  return routes;
}

}  // namespace embedding
