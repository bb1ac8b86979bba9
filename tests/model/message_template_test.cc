#include "model/message_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "temp_dir.h"
#include "test_data.h"

namespace embedding {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class MessageTemplateTest : public testing::Test {
 protected:
  Result<MessageTemplates> Read(const std::string& source, const MessageOptions& options = {},
                                const std::string& prompt = "") {
    dir_.Write("chat_template.jinja", source);
    auto config = ReadTokenizerConfig(dir_.path(), "qwen3", "", "");
    if (!config.ok()) return config.error();
    return ReadMessageTemplates(*config, options, {{"query", prompt}});
  }

  std::string ErrorOf(const std::string& source) {
    const auto templates = Read(source);
    EXPECT_FALSE(templates.ok()) << source;
    return templates.ok() ? "" : templates.error().message;
  }

  // What is made of two texts.
  std::string Rendered(const std::string& source) {
    const auto templates = Read(source);
    EXPECT_TRUE(templates.ok()) << templates.error().message;
    return templates.ok() ? Fill(templates->of_texts.at(""), "text", "") : "";
  }

  TempDir dir_;
};

TEST_F(MessageTemplateTest, RendersAsTransformersDoes) {
  const json cases = json::parse(std::ifstream(TestData("templates.json")));
  ASSERT_GT(cases.size(), 50U);
  dir_.Write("tokenizer_config.json",
             R"({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"})");
  for (const json& each : cases) {
    SCOPED_TRACE(each.at("name").get<std::string>() + " with " + each.at("prompt").dump());
    const auto templates =
        Read(each.at("template"),
             {.format = each.at("structured") ? "structured" : "flat", .flags = each.at("flags")},
             each.at("prompt"));
    const json& inputs = each.at("inputs");
    const bool of_pairs = inputs[0].size() == 2;
    if (each.at("rendered").is_null()) {
      if (templates.ok()) {
        EXPECT_TRUE((of_pairs ? templates->of_pairs : templates->of_texts).empty());
      }
      continue;
    }
    ASSERT_TRUE(templates.ok()) << templates.error().message;
    const auto& of = of_pairs ? templates->of_pairs : templates->of_texts;
    ASSERT_TRUE(of.contains("query"))
        << (of_pairs ? templates->without_pairs : templates->without_texts);
    for (size_t i = 0; i < inputs.size(); ++i) {
      EXPECT_EQ(Fill(of.at("query"), inputs[i][0].get<std::string>(),
                     of_pairs ? inputs[i][1].get<std::string>() : ""),
                each.at("rendered")[i].get<std::string>());
    }
  }
}

TEST_F(MessageTemplateTest, TellsByTheTemplateWhetherItTakesParts) {
  EXPECT_EQ(Rendered("{{ messages[0].content }}"), "text");
  EXPECT_EQ(Rendered("{% for item in messages[0].content %}{{ item.text }}{% if item.type %}!{% "
                     "endif %}{% endfor %}"),
            "text!");
}

TEST_F(MessageTemplateTest, ReadsTheTemplateOfTheTokenizersConfig) {
  const auto read = [&](const json& chat_template) {
    dir_.Write("tokenizer_config.json", json{{"chat_template", chat_template}}.dump());
    auto config = ReadTokenizerConfig(dir_.path(), "qwen3", "", "");
    EXPECT_TRUE(config.ok());
    return ReadMessageTemplates(*config, {}, {});
  };
  const json named = {{{"name", "tool_use"}, {"template", "{% no %}"}},
                      {{"name", "default"}, {"template", "it: {{ messages[0].content }}"}}};
  for (const json& good : {json("it: {{ messages[0].content }}"), named}) {
    const auto templates = read(good);
    ASSERT_TRUE(templates.ok()) << templates.error().message;
    EXPECT_EQ(Fill(templates->of_texts.at(""), "text", ""), "it: text");
  }
  const auto without = read({{{"name", "tool_use"}, {"template", "{{ messages[0].content }}"}}});
  ASSERT_FALSE(without.ok());
  EXPECT_THAT(without.error().message, HasSubstr("chat_template must be a template, or a list"));
  const auto none = read(nullptr);
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message, HasSubstr("there is neither chat_template.jinja nor"));
}

TEST_F(MessageTemplateTest, NamesWhatIsNotSupported) {
  EXPECT_THAT(ErrorOf("{{ messages[0].content }}\n{% macro m() %}{% endmacro %}"),
              AllOf(HasSubstr("chat_template.jinja: line 2"), HasSubstr("the tag \"macro\"")));
  EXPECT_THAT(ErrorOf("{{ messages[0].content | tojson }}"), HasSubstr("the filter \"tojson\""));
  EXPECT_THAT(ErrorOf("\n\n{{ messages[0].content is odd }}"),
              AllOf(HasSubstr("line 3"), HasSubstr("the test \"odd\"")));
  EXPECT_THAT(ErrorOf("{{ messages[0].content.split('x') }}"), HasSubstr("the method \"split\""));
  EXPECT_THAT(ErrorOf("{{ strftime_now('%d') }}"), HasSubstr("the function \"strftime_now\""));
  EXPECT_THAT(ErrorOf("{{ unknown.attribute }}"), HasSubstr("\"attribute\" of what is undefined"));
  EXPECT_THAT(ErrorOf("{{ raise_exception('not here') }}"), HasSubstr("not here"));
  // Nothing of it moves a terminal's cursor.
  EXPECT_THAT(ErrorOf("{{ '\\\x1B' }}"), HasSubstr("the escape \"\\\\x1b\" is not supported"));
}

// What a program would do by what a text says cannot be known when the model is loaded.
TEST_F(MessageTemplateTest, RefusesWhatDependsOnTheTexts) {
  for (const char* source :
       {"{% if messages[0].content == 'a' %}{% endif %}", "{% if messages[0].content %}{% endif %}",
        "{{ messages[0].content | upper }}", "{{ messages[0].content | length }}",
        "{{ messages[0].content.startswith('a') }}", "{{ 'a' in messages[0].content }}"}) {
    EXPECT_THAT(ErrorOf(source), HasSubstr("chat_template.jinja: line 1")) << source;
  }
}

TEST_F(MessageTemplateTest, RefusesATemplateThatLeavesTheTextOut) {
  EXPECT_THAT(ErrorOf("{{ messages[0].role }}"),
              HasSubstr("what it renders has no text of the user"));
}

TEST_F(MessageTemplateTest, RefusesWhatIsNoTemplate) {
  for (const char* source :
       {"{{", "{{ 1 + }}", "{% if true %}", "{% endif %}", "{% for x in %}{% endfor %}", "{{ 'a }}",
        "{% set = 1 %}", "{{ a | }}", "{{ (1, 2 }}", "{# never ends", "{{ {'a' 1} }}", "{% else %}",
        "{{ a.1 }}", "{{ 99999999999999999999 }}", "{{ \xFF }}"}) {
    EXPECT_FALSE(Read(std::string(source) + "{{ messages[0].content }}").ok()) << source;
  }
}

// It runs when a model is loaded: whatever it is, it ends, and soon.
TEST_F(MessageTemplateTest, AProgramThatIsTooMuchIsRefused) {
  std::string loops = "{% set a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] %}";
  for (int i = 0; i < 10; ++i) loops += "{% for x in a %}";
  for (int i = 0; i < 10; ++i) loops += "{% endfor %}";
  EXPECT_THAT(ErrorOf(loops + "{{ messages[0].content }}"), HasSubstr("more than"));

  std::string doubled = "{% set a = '0123456789abcdef' %}";
  for (int i = 0; i < 60; ++i) doubled += "{% set a = a ~ a %}";
  EXPECT_THAT(ErrorOf(doubled + "{{ messages[0].content }}"), HasSubstr("more than"));

  std::string lists = "{% set a = [1, 1] %}";
  for (int i = 0; i < 60; ++i) lists += "{% set a = [a, a] %}";
  EXPECT_FALSE(Read(lists + "{{ a }}{{ messages[0].content }}").ok());

  EXPECT_FALSE(Read("{{ " + std::string(100000, '(') + " }}").ok());
  EXPECT_FALSE(Read("{{ " + std::string(100000, '-') + "1 }}").ok());
  std::string nested;
  for (int i = 0; i < 10000; ++i) nested += "{% if true %}";
  EXPECT_FALSE(Read(nested).ok());
  EXPECT_FALSE(Read(std::string(size_t{1} << 20, 'a') + "{{ messages[0].content }}").ok());
}

}  // namespace
}  // namespace embedding
