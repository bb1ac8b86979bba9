#include "model/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "temp_dir.h"

namespace embedding {
namespace {

// The order of the routes matters.
using json = nlohmann::ordered_json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

// A Router of two routes, and a Normalize after it, whose files a test changes.
class RoutesTest : public testing::Test {
 protected:
  Result<Routes> Read() {
    dir_.Write("modules.json", modules_.dump());
    dir_.Write(file_, router_.dump());
    return ReadRoutes(dir_.path());
  }

  Routes ReadGood() {
    auto routes = Read();
    EXPECT_TRUE(routes.ok()) << routes.error().message;
    return routes.ok() ? *std::move(routes) : Routes{};
  }

  std::string ErrorMessage() {
    const auto routes = Read();
    EXPECT_FALSE(routes.ok());
    return routes.ok() ? "" : routes.error().message;
  }

  // Where each of the lists' modules lies.
  static std::vector<std::vector<std::string>> Paths(const Routes& routes) {
    std::vector<std::vector<std::string>> paths;
    for (const auto& list : routes.lists) {
      paths.emplace_back();
      for (const ModuleEntry& module : list) paths.back().push_back(module.path);
    }
    return paths;
  }

  json& Parameters() { return router_["parameters"]; }

  TempDir dir_;
  std::string file_ = "router_config.json";
  json modules_ = {{{"idx", 0},
                    {"name", "0"},
                    {"path", ""},
                    {"type", "sentence_transformers.base.modules.router.Router"}},
                   {{"idx", 1},
                    {"name", "1"},
                    {"path", "1_Normalize"},
                    {"type", "sentence_transformers.models.Normalize"}}};
  json router_ = json::parse(R"({
    "types": {
      "query_0_StaticEmbedding":
          "sentence_transformers.sentence_transformer.modules.static_embedding.StaticEmbedding",
      "document_0_Transformer": "sentence_transformers.base.modules.transformer.Transformer",
      "document_1_Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
    "structure": {"query": ["query_0_StaticEmbedding"],
                  "document": ["document_0_Transformer", "document_1_Pooling"]},
    "parameters": {"default_route": null, "allow_empty_key": false, "route_mappings": {}}})");
};

TEST_F(RoutesTest, APromptNamesItsRoute) {
  const Routes routes = ReadGood();
  EXPECT_THAT(Paths(routes), ElementsAre(ElementsAre("query_0_StaticEmbedding", "1_Normalize"),
                                         ElementsAre("document_0_Transformer", "document_1_Pooling",
                                                     "1_Normalize")));
  EXPECT_THAT(routes.of_prompt, UnorderedElementsAre(Pair("query", 0), Pair("document", 1)));
  EXPECT_EQ(routes.of_others, std::nullopt);
}

TEST_F(RoutesTest, OthersTakeTheDefaultRoute) {
  Parameters()["default_route"] = "document";
  EXPECT_EQ(ReadGood().of_others, 1U);
  // The first, where an empty key is allowed.
  Parameters() = {{"default_route", nullptr}, {"allow_empty_key", true}};
  EXPECT_EQ(ReadGood().of_others, 0U);
  router_.erase("parameters");
  EXPECT_EQ(ReadGood().of_others, 0U);
  Parameters()["default_route"] = "passage";
  EXPECT_THAT(ErrorMessage(), HasSubstr("default_route must be the name of one of the routes"));
}

TEST_F(RoutesTest, MappingsLeadToRoutes) {
  Parameters()["route_mappings"] = {{"('search', 'text')", "query"},
                                    {"('search', 'image')", "document"},
                                    {"('query', None)", "document"},
                                    {"(None, 'text')", "document"},
                                    {"no key", "query"}};
  const Routes routes = ReadGood();
  EXPECT_THAT(routes.of_prompt,
              UnorderedElementsAre(Pair("query", 1), Pair("document", 1), Pair("search", 0)));
  EXPECT_EQ(routes.of_others, 1U);
  Parameters()["route_mappings"] = {{"('search', 'text')", "passage"}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("must be the name of one of the routes"));
}

TEST_F(RoutesTest, ARouteOfTextIsForTextsWithoutATask) {
  router_["structure"] = {{"text", {"document_0_Transformer", "document_1_Pooling"}},
                          {"image", {"query_0_StaticEmbedding"}}};
  EXPECT_EQ(ReadGood().of_others, 0U);
  router_["structure"] = {{"image", {"query_0_StaticEmbedding"}},
                          {"text", {"document_0_Transformer", "document_1_Pooling"}}};
  EXPECT_EQ(ReadGood().of_others, 1U);
}

TEST_F(RoutesTest, EqualRoutesAreOneList) {
  router_["structure"]["query"] = router_["structure"]["document"];
  const Routes routes = ReadGood();
  EXPECT_EQ(routes.lists.size(), 1U);
  EXPECT_THAT(routes.of_prompt, UnorderedElementsAre(Pair("query", 0), Pair("document", 0)));
}

// Before version 5 it was called Asym, had its files in its folder, and followed other modules.
TEST_F(RoutesTest, ReadsAnAsym) {
  file_ = "2_Asym/config.json";
  modules_ = json::parse(R"([
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Asym", "type": "sentence_transformers.models.Asym"}])");
  router_ = json::parse(R"({
    "types": {"140_Dense": "sentence_transformers.models.Dense.Dense",
              "150_Dense": "sentence_transformers.models.Dense.Dense"},
    "structure": {"query": ["140_Dense"], "doc": ["150_Dense"]},
    "parameters": {"allow_empty_key": true}})");
  const Routes routes = ReadGood();
  const size_t query = routes.of_prompt.at("query");
  EXPECT_THAT(Paths(routes)[query], ElementsAre("", "1_Pooling", "2_Asym/140_Dense"));
  EXPECT_THAT(Paths(routes)[routes.of_prompt.at("doc")],
              ElementsAre("", "1_Pooling", "2_Asym/150_Dense"));
  EXPECT_EQ(routes.lists[query][2].kind, "Dense");
}

TEST_F(RoutesTest, WithoutARouterThereIsOneListWithoutDropout) {
  modules_[0]["type"] = "sentence_transformers.models.Transformer";
  modules_.push_back({{"idx", 2},
                      {"name", "2"},
                      {"path", "2_Dropout"},
                      {"type", "sentence_transformers.models.Dropout"}});
  const Routes routes = ReadGood();
  EXPECT_THAT(Paths(routes), ElementsAre(ElementsAre("", "1_Normalize")));
  EXPECT_FALSE(routes.has_router());
  EXPECT_EQ(routes.of_others, 0U);
}

TEST_F(RoutesTest, RefusesWhatIsNoRouter) {
  const json good = router_;
  const json bad[] = {
      json::object(), {{"types", good["types"]}}, {{"structure", good["structure"]}}};
  for (const json& each : bad) {
    router_ = each;
    EXPECT_THAT(ErrorMessage(), HasSubstr("router_config.json"));
  }
  router_ = good;
  router_["structure"] = json::object();
  EXPECT_THAT(ErrorMessage(), HasSubstr("must have 1 to 64 routes"));
  router_["structure"] = {{"query", json::array()}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("must have 1 to 64 modules"));
  router_["structure"] = {{"query", {"query_1_Pooling"}}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("query_1_Pooling"));
  router_["structure"] = {{"query", {1}}};
  EXPECT_THAT(ErrorMessage(), HasSubstr("must be"));
  router_ = good;
  router_["structure"]["query"] = {"../elsewhere"};
  router_["types"]["../elsewhere"] = router_["types"]["document_1_Pooling"];
  EXPECT_THAT(ErrorMessage(), HasSubstr("../elsewhere"));
  router_ = good;
  router_["types"]["query_0_StaticEmbedding"] = "sentence_transformers.models.Router";
  EXPECT_THAT(ErrorMessage(), HasSubstr("a Router in a Router is not supported"));
  router_ = good;
  modules_.push_back(modules_[0]);
  modules_[2]["idx"] = 2;
  EXPECT_THAT(ErrorMessage(), AllOf(HasSubstr("module 2"), HasSubstr("second Router")));
}

}  // namespace
}  // namespace embedding
