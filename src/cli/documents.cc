#include "cli/documents.h"

#include <fmt/format.h>

#include <string_view>

#include "cli/command_options.h"
#include "cli/commands.h"

namespace embedding::cli {
namespace {

// For man's formatter: its escapes, and hyphens that stay what they are when they are copied.
std::string Roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else if (c == '\'') {
      escaped += "\\(aq";
    } else {
      escaped += c;
    }
  }
  // A line that begins with a dot would be a command.
  return escaped.starts_with('.') ? "\\&" + escaped : escaped;
}

void AppendOption(const CommandOption& option, std::string& page) {
  page += ".TP\n";
  for (size_t i = 0; i < option.names.size(); ++i)
    page += (i == 0 ? "\\fB" : ", \\fB") + Roff(option.names[i]) + "\\fR";
  if (!option.value.empty()) page += " \\fI" + Roff(option.value) + "\\fR";
  page += '\n' + Roff(option.description) + ".\n";
  if (!option.choices.empty() && option.value != "true|false")
    page += Roff(fmt::format("One of {}.", fmt::join(option.choices, ", "))) + '\n';
  if (!option.standard.empty()) page += "By default: " + Roff(option.standard) + ".\n";
  if (!option.variable.empty()) page += "Variable: " + Roff(option.variable) + ".\n";
}

constexpr std::string_view kHead =
    ".SH NAME\n"
    "embedding\\-service \\- texts to vectors, over HTTP and on the command line\n"
    ".SH SYNOPSIS\n"
    ".B embedding\\-service\n"
    ".I COMMAND\n"
    ".RI [ OPTIONS ]\n"
    ".SH DESCRIPTION\n"
    "A server of sentence\\-transformers models and cross\\-encoders, which speaks to the clients "
    "of\n"
    "text\\-embeddings\\-inference, OpenAI, Cohere, Jina and Ollama.\n"
    ".PP\n"
    "Each option can also be given as an environment variable, or as a key of the TOML file of\n"
    "\\fB\\-\\-config\\fR: \\fIport = 8001\\fR. The command line wins over the environment, the\n"
    "environment over the file. Where a command has no such option, the others' are passed over.\n";

constexpr std::string_view kTail =
    ".SH EXIT STATUS\n"
    ".TP\n0\nFine.\n"
    ".TP\n1\nFailed while running, or a limit of the system.\n"
    ".TP\n2\nWrong usage.\n"
    ".TP\n3\nThe model cannot be loaded; of \\fBstatus\\fR: does not run.\n"
    ".TP\n4\nThe address is in use; of \\fBstart\\fR also: that server runs already.\n"
    ".TP\n5\nThe device is not available.\n"
    ".SH FILES\n"
    ".TP\n"
    ".I ~/.local/state/embedding\\-service\n"
    "Records and logs of servers in the background; \\fBXDG_STATE_HOME\\fR names another place.\n"
    ".TP\n"
    ".I ~/.cache/huggingface/hub\n"
    "Models; \\fBHF_HOME\\fR and \\fBHF_HUB_CACHE\\fR name other places.\n";

}  // namespace

std::string Usage() {
  std::string text = "Usage: embedding-service COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : Commands())
    text += fmt::format("  {:<10} {}\n", command.name, command.summary);
  return text + "\nembedding-service COMMAND --help tells a command's options.\n";
}

std::string ManualPage() {
  std::string page =
      ".TH EMBEDDING\\-SERVICE 1 \"\" \"embedding\\-service " EMBEDDING_SERVICE_VERSION
      "\" \"User Commands\"\n";
  page += ".nh\n";  // names of variables stay whole
  page += kHead;
  page += ".SH COMMANDS\n";
  for (const Command& command : Commands()) {
    page += fmt::format(".SS {}\n{}.\n", Roff(command.name), Roff(command.summary));
    for (const CommandOption& option : OptionsOf(command)) AppendOption(option, page);
  }
  page += kTail;
  return page;
}

}  // namespace embedding::cli
