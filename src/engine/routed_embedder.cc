#include "engine/routed_embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace embedding {
namespace {

Error Incomparable(const ModelInfo& info, std::string_view what) {
  return Error{ErrorCode::kModelLoad,
               fmt::format("{}: its routes give {}, which is not supported", info.name, what),
               {}};
}

Status CheckRoutes(const std::vector<std::unique_ptr<Embedder>>& embedders) {
  const ModelInfo& first = embedders.front()->info();
  size_t dimension = 0;  // of the routes that have dense vectors
  for (const auto& embedder : embedders) {
    const ModelInfo& info = embedder->info();
    if (info.labels != first.labels) return Incomparable(first, "scores and vectors");
    // A route without dense vectors says so where it is asked for them.
    if (dimension > 0 && info.has_dense() && info.max_dimension != dimension) {
      return Incomparable(
          first, fmt::format("vectors of {} and of {} numbers", dimension, info.max_dimension));
    }
    dimension = std::max(dimension, info.max_dimension);
    if (info.has_sparse != first.has_sparse || info.has_colbert != first.has_colbert) {
      return Incomparable(first, "different kinds of vectors");
    }
  }
  return {};
}

std::string NamesOf(const Routes& routes) {
  std::string names;
  for (const auto& [prompt, list] : routes.of_prompt) names += (names.empty() ? "" : ", ") + prompt;
  return names;
}

// What is done where it matters which route a text takes.
std::string Explain(const Routes& routes) {
  if (routes.lists.size() == 1) {
    return fmt::format("its routes ({}) are equal: it makes no difference which a text takes",
                       NamesOf(routes));
  }
  return fmt::format("a text takes the route that its prompt_name names ({}){}", NamesOf(routes),
                     routes.of_others ? ", or else the default one" : ", which it must name");
}

// Of all of the routes.
ModelInfo Describe(const Routes& routes, const std::vector<std::unique_ptr<Embedder>>& embedders) {
  ModelInfo info = embedders[routes.of_others.value_or(0)]->info();
  for (const auto& [prompt, list] : routes.of_prompt) info.routes.push_back(prompt);
  if (embedders.size() > 1) {
    info.parameters = info.weight_bytes = 0;
    info.warnings.clear();
    for (const auto& embedder : embedders) {
      const ModelInfo& each = embedder->info();
      if (!info.has_dense()) {  // the default one has none, but another has
        info.dimension = each.dimension;
        info.max_dimension = each.max_dimension;
      }
      info.parameters += each.parameters;
      info.weight_bytes += each.weight_bytes;
      for (const std::string& warning : each.warnings) {
        const auto end = info.warnings.end();
        if (std::find(info.warnings.begin(), end, warning) == end) info.warnings.push_back(warning);
      }
    }
  }
  info.warnings.push_back(fmt::format("{}: {}", info.name, Explain(routes)));
  return info;
}

class RoutedEmbedder : public Embedder {
 public:
  RoutedEmbedder(Routes routes, std::vector<std::unique_ptr<Embedder>> embedders)
      : routes_(std::move(routes)),
        embedders_(std::move(embedders)),
        info_(Describe(routes_, embedders_)) {}

  void EmbedAsync(const EmbedRequest& request, Done done) override {
    const Result<Embedder*> embedder = Select(request.prompt_name);
    if (!embedder.ok()) return done(embedder.error());
    (*embedder)->EmbedAsync(request, std::move(done));
  }

  Status health() const override {
    for (const auto& embedder : embedders_) RETURN_IF_ERROR(embedder->health());
    return {};
  }

  // A device that one of the routes has failed on has failed, and hangs if it does for one.
  std::vector<DeviceState> devices() const override {
    std::vector<DeviceState> states = embedders_.front()->devices();
    for (size_t i = 1; i < embedders_.size(); ++i) {
      const std::vector<DeviceState> more = embedders_[i]->devices();
      for (size_t d = 0; d < states.size(); ++d) {
        if (states[d].status.ok()) states[d].status = more[d].status;
        states[d].batches += more[d].batches;
        states[d].texts += more[d].texts;
        states[d].tokens += more[d].tokens;
        states[d].busy = std::max(states[d].busy, more[d].busy);
        if (!states[d].silent_since) states[d].silent_since = more[d].silent_since;
      }
    }
    return states;
  }

  uint64_t turns() override {
    uint64_t turns = 0;
    for (const auto& embedder : embedders_) turns += embedder->turns();
    return turns;
  }

  Result<std::string> Prompt(const std::optional<std::string>& name) const override {
    ASSIGN_OR_RETURN(const Embedder* const embedder, Select(name));
    return embedder->Prompt(name);
  }

  const ModelInfo& info() const override { return info_; }
  const Tokenizer& tokenizer() const override {
    return embedders_[routes_.of_others.value_or(0)]->tokenizer();
  }

 private:
  Result<Embedder*> Select(const std::optional<std::string>& prompt) const {
    std::optional<size_t> list = routes_.of_others;
    if (prompt) {
      const auto found = routes_.of_prompt.find(*prompt);
      if (found != routes_.of_prompt.end()) list = found->second;
    }
    if (list) return embedders_[*list].get();
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("prompt_name: {} has no default route; name one of {}", info_.name,
                             NamesOf(routes_)),
                 "prompt_name"};
  }

  const Routes routes_;
  const std::vector<std::unique_ptr<Embedder>> embedders_;
  const ModelInfo info_;
};

}  // namespace

Result<std::unique_ptr<Embedder>> MakeRoutedEmbedder(
    Routes routes, std::vector<std::unique_ptr<Embedder>> embedders) {
  RETURN_IF_ERROR(CheckRoutes(embedders));
  return std::unique_ptr<Embedder>(
      std::make_unique<RoutedEmbedder>(std::move(routes), std::move(embedders)));
}

}  // namespace embedding
