#include "cli/model_loading.h"

#include <spdlog/spdlog.h>

#include "app/models.h"
#include "base/mapped_file.h"
#include "base/quoted.h"
#include "cli/progress_bar.h"

namespace embedding::cli {

Result<std::unique_ptr<Embedder>> LoadShown(const app::Configuration& configuration) {
  MappedFile::SurviveTruncation();
  constexpr double kMegabyte = 1e6;
  ProgressBar bar(kMegabyte, "MB");
  ASSIGN_OR_RETURN(std::unique_ptr<Embedder> embedder,
                   app::LoadFirstModel(configuration, [&bar](const DownloadProgress& progress) {
                     bar.Show(Printable(progress.file, 60), progress.done_bytes,
                              progress.total_bytes);
                   }));
  for (const std::string& warning : embedder->info().warnings) spdlog::warn("{}", warning);
  return embedder;
}

}  // namespace embedding::cli
