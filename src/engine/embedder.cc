#include <fmt/format.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "embedding/engine.h"
#include "engine/local_embedder.h"
#include "engine/routed_embedder.h"
#include "model/model_spec.h"
#include "model/routes.h"

namespace embedding {
namespace {

Status CheckDefaultPrompt(const EmbedderOptions& options, const ModelSpec& spec) {
  const auto& name = options.default_prompt_name;
  if (!name || spec.is_classifier() || spec.prompts.contains(*name)) return {};
  return Error{ErrorCode::kModelLoad,
               fmt::format("{}: config_sentence_transformers.json has no prompt named {}",
                           options.model_directory, *name),
               {}};
}

}  // namespace

Result<EmbedResponse> Embedder::Embed(const EmbedRequest& request) {
  std::promise<Result<EmbedResponse>> answer;
  EmbedAsync(request, [&](Result<EmbedResponse> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

Result<std::unique_ptr<Embedder>> Embedder::Load(const EmbedderOptions& options) {
  RETURN_IF_ERROR(CheckModelIsThere(options.model_directory));
  ASSIGN_OR_RETURN(Routes routes, ReadRoutes(options.model_directory));
  std::vector<ModelSpec> specs;
  for (size_t i = 0; i < routes.lists.size(); ++i) {
    ASSIGN_OR_RETURN(ModelSpec spec,
                     ReadModelSpec(options.model_directory, routes, i, options.pooling));
    RETURN_IF_ERROR(CheckDefaultPrompt(options, spec));
    specs.push_back(std::move(spec));
  }
  std::vector<std::shared_ptr<Backend>> backends = options.backends;
  if (backends.empty()) {
    ASSIGN_OR_RETURN(backends, OpenBackends(options.device));
  }
  std::vector<std::unique_ptr<Embedder>> embedders;
  for (size_t i = 0; i < specs.size(); ++i) {
    const std::string route = specs.size() > 1 ? std::to_string(i) : "";
    ASSIGN_OR_RETURN(auto embedder,
                     LoadLocalEmbedder(std::move(specs[i]), options, backends, route));
    embedders.push_back(std::move(embedder));
  }
  if (!routes.has_router()) return std::move(embedders.front());
  return MakeRoutedEmbedder(std::move(routes), std::move(embedders));
}

}  // namespace embedding
