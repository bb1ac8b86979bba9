#include "app/selftest.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "app/logging.h"
#include "cli/commands.h"
#include "cli/model_loading.h"
#include "cli/model_options.h"
#include "cli/options.h"
#include "cli/standard_streams.h"

namespace embedding::cli {
namespace {

Result<std::vector<app::Check>> Run(const app::Configuration& configuration) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Embedder> embedder, LoadShown(configuration));
  const ModelInfo& info = embedder->info();
  app::Print(fmt::format("{} in {} on {}\n", info.name, info.dtype, info.device));
  return app::SelfTest(*embedder);
}

}  // namespace

void DescribeSelftest(CLI::App& app) {
  static app::Configuration configuration;
  AddModelOptions(app, configuration);
}

int Selftest(int argc, char** argv) {
  app::Configuration configuration;
  CLI::App app(
      "Checks a model's vectors: of BAAI/bge-m3 against scores that its authors published, of "
      "every "
      "model that they are finite, the same in any batch, and in order. Exit code 1 if one is "
      "wrong.",
      "embedding-service selftest");
  AddModelOptions(app, configuration);
  if (const Status logging = app::StartLogging({.level = "warn"}); !logging.ok())
    return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  if (const Status sound = app::Complete(configuration); !sound.ok()) return Report(sound.error());
  const Result<std::vector<app::Check>> checks = Run(configuration);
  if (!checks.ok()) return Report(checks.error());
  for (const app::Check& check : *checks)
    app::Print(
        fmt::format("{:<6}  {:<52}{}", check.passed ? "ok" : "WRONG", check.name, check.found));
  const auto wrong = std::count_if(checks->begin(), checks->end(),
                                   [](const app::Check& check) { return !check.passed; });
  app::Print(fmt::format("\n{} of {} checks passed", checks->size() - static_cast<size_t>(wrong),
                         checks->size()));
  if (const Status printed = FlushStandardOutput(); !printed.ok()) return Report(printed.error());
  return wrong == 0 ? kExitOk : kExitFailed;
}

}  // namespace embedding::cli
