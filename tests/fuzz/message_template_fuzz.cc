// A tokenizer's template of messages: a program that runs when a model is loaded.
#include <map>
#include <string>

#include "fuzz/check.h"
#include "fuzz/files_in_memory.h"
#include "model/message_template.h"
#include "model/tokenizer_config.h"
#include "temp_dir.h"

namespace embedding {
namespace {

// What it renders is filled with any text at all, and of the texts each has its place.
void CheckTemplates(const MessageTemplates& templates) {
  for (const auto* of : {&templates.of_texts, &templates.of_pairs}) {
    for (const auto& [prompt, rendered] : *of) {
      const std::string filled = Fill(rendered, " query \xE3\x80\x80", "document");
      FUZZ_CHECK(IsUtf8(filled));
      FUZZ_CHECK(filled.find("query") != std::string::npos);
      if (of == &templates.of_pairs) FUZZ_CHECK(filled.find("document") != std::string::npos);
      for (const jinja::Piece& piece : rendered) {
        FUZZ_CHECK(piece.text.empty() == (piece.place != jinja::Place::kNone));
      }
    }
  }
}

}  // namespace
}  // namespace embedding

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  static const TempDir directory;
  TokenizerConfig tokenizer;
  tokenizer.directory = directory.path();
  tokenizer.tokens.named = {{"bos_token", {.content = "<s>"}}, {"eos_token", {.content = "</s>"}}};
  directory.Write("chat_template.jinja", AsString(data, size));
  const Result<MessageTemplates> templates =
      ReadMessageTemplates(tokenizer, {}, {{"query", "find this: "}});
  templates.ok() ? CheckTemplates(*templates) : CheckModelError(templates.error());
  return 0;
}
