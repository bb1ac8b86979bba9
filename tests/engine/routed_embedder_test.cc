// Models whose texts take one of several routes; what those give is module_references_test.cc's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "embedding/engine.h"
#include "engine/module_model.h"
#include "engine/rerank.h"
#include "engine/vectors.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

void Edit(const fs::path& path, const json& patch) {
  json content = json::parse(std::ifstream(path));
  content.merge_patch(patch);
  std::ofstream(path) << content;
}

std::string ErrorOf(const ModuleModel& model) {
  const auto embedder = Embedder::Load({.model_directory = model.directory().string()});
  EXPECT_FALSE(embedder.ok());
  return embedder.ok() ? "" : embedder.error().message;
}

TEST(RoutedEmbedder, SaysWhichRoutesThereAre) {
  const ModuleModel model("routes_of_their_own");
  const auto embedder = Load(model.directory().string());
  const ModelInfo& info = embedder->info();
  EXPECT_THAT(info.routes, UnorderedElementsAre("query", "document"));
  EXPECT_THAT(info.warnings, Contains(HasSubstr("the route that its prompt_name names")));
  EXPECT_EQ(info.dimension, 32U);
  EXPECT_TRUE(Load(ModuleModel("static_embedding").directory().string())->info().routes.empty());
}

TEST(RoutedEmbedder, ATextWithoutARouteIsRefusedWhereThereIsNoDefault) {
  const ModuleModel model("routes_after_the_pooling");
  const auto embedder = Load(model.directory().string());
  EmbedRequest request;
  request.texts = {"text"};
  const auto response = embedder->Embed(request);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(response.error().field, "prompt_name");
  EXPECT_THAT(response.error().message, HasSubstr("name one of document, query"));
  request.prompt_name = "passage";
  EXPECT_FALSE(embedder->Embed(request).ok());
  request.prompt_name = "query";
  EXPECT_TRUE(embedder->Embed(request).ok());
}

TEST(RoutedEmbedder, EqualRoutesAreOneModel) {
  const ModuleModel model("routes_by_mappings");
  Edit(model.directory() / "2_Router/router_config.json",
       {{"structure", {{"image", {"text_0_Dense", "text_1_Dense"}}}}});
  const auto routed = Load(model.directory().string());
  EXPECT_THAT(routed->info().warnings, Contains(HasSubstr("its routes (image, query, text) are "
                                                          "equal")));
  EXPECT_EQ(routed->info().parameters,
            Load(ModuleModel("compared_by_dot").directory().string())->info().parameters);
}

TEST(RoutedEmbedder, RoutesWhoseVectorsCannotBeComparedAreRefused) {
  const ModuleModel model("routes_of_their_own");
  Edit(model.directory() / "router_config.json",
       {{"structure", {{"query", {"query_0_StaticEmbedding", "query_1_Dense"}}}},
        {"types", {{"query_1_Dense", "sentence_transformers.models.Dense"}}}});
  fs::copy(kModuleModels / "routes_by_mappings/2_Router/text_0_Dense",
           model.directory() / "query_1_Dense");
  EXPECT_THAT(ErrorOf(model), HasSubstr("vectors of 32 and of 12 numbers"));
}

TEST(RoutedEmbedder, RerankingNamesTheTextThatIsWrong) {
  const ModuleModel model("routes_of_their_own");
  const auto embedder = Load(model.directory().string());
  const auto error_of = [&](const std::string& query, const std::vector<std::string>& texts) {
    std::promise<Result<RerankResponse>> answer;
    RerankRequest request;
    request.query = query;
    request.texts = texts;
    RerankAsync(*embedder, request,
                [&](Result<RerankResponse> result) { answer.set_value(std::move(result)); });
    const auto result = answer.get_future().get();
    EXPECT_FALSE(result.ok());
    return result.ok() ? Error{} : result.error();
  };
  EXPECT_EQ(error_of("\xFF", {"a", "b"}).field, "query");
  EXPECT_EQ(error_of("a", {"a", "\xFF"}).field, "texts[1]");
  EXPECT_EQ(error_of("a", {}).field, "texts");
}

}  // namespace
}  // namespace embedding
