#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string_view>

#include "cli/command_options.h"
#include "cli/commands.h"
#include "cli/documents.h"

namespace embedding::cli {
namespace {

// `text` in single quotes, which need a way to hold one.
std::string Quote(std::string_view text, std::string_view for_quote) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += for_quote;
    } else {
      quoted += c;
    }
  }
  return quoted + '\'';
}

std::string Names(const Command& command) {
  std::string names;
  for (const CommandOption& option : OptionsOf(command)) {
    if (option.is_word) continue;
    for (const std::string& name : option.names) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

std::string Bash() {
  std::string commands;
  std::string options;
  std::map<std::string, std::string> choices;  // of an option, in all commands the same
  std::string valued;                          // options that a value stands behind
  for (const Command& command : Commands()) {
    commands += fmt::format("{} ", command.name);
    options += fmt::format("    {}) options={} ;;\n", command.name, Quote(Names(command), ""));
    for (const CommandOption& option : OptionsOf(command)) {
      if (option.is_word || option.value.empty()) continue;
      for (const std::string& name : option.names) {
        if (!option.choices.empty() && !option.is_switch)
          choices[name] = fmt::format("{}", fmt::join(option.choices, " "));
        if (!option.is_switch && valued.find(name + ' ') == std::string::npos) valued += name + ' ';
      }
    }
  }
  std::string script =
      "# Completion for bash.\n"
      "_embedding_service() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options=\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
      "    COMPREPLY=($(compgen -W '" +
      commands +
      "--help --version' -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  # Readline takes an option and a value apart at the = between them.\n"
      "  if [ \"$word\" = = ]; then word=; fi\n"
      "  if [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
      "  case $before in\n";
  for (const auto& [name, values] : choices) {
    script += fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$word\")); return ;;\n", name,
                          values);
    const size_t at = valued.find(name + ' ');
    if (at != std::string::npos) valued.erase(at, name.size() + 1);
  }
  for (char& c : valued) c = c == ' ' ? '|' : c;
  if (!valued.empty()) valued.pop_back();
  script += "    " + valued +
            ") return ;;\n"
            "  esac\n"
            "  case ${COMP_WORDS[1]} in\n" +
            options;
  script +=
      "  esac\n"
      "  case $word in\n"
      "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
      "  esac\n"
      "}\n"
      "complete -o default -F _embedding_service embedding-service\n";
  return script;
}

// What means something in a description of zsh's.
std::string ZshText(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("[]:\\").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string ZshOption(const CommandOption& option) {
  const std::string action =
      option.choices.empty() ? "_files" : fmt::format("({})", fmt::join(option.choices, " "));
  if (option.is_word) return Quote(fmt::format("*:{}:_files", option.names.front()), "'\\''");
  std::string specs;
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    std::string spec = option.is_list ? "*" : "";
    spec += name;
    if (!option.value.empty() && !option.is_switch) spec += is_long ? "=" : "+";
    spec += '[' + ZshText(Short(option.description)) + ']';
    if (!option.value.empty() && !option.is_switch) spec += ":value:" + action;
    specs += (specs.empty() ? "" : " ") + Quote(spec, "'\\''");
  }
  return specs;
}

std::string Zsh() {
  std::string script =
      "#compdef embedding-service\n"
      "# Completion for zsh.\n"
      "_embedding-service() {\n"
      "  local -a commands\n"
      "  commands=(\n";
  for (const Command& command : Commands()) {
    script += "    " +
              Quote(fmt::format("{}:{}", command.name, ZshText(command.summary)), "'\\''") + '\n';
  }
  script +=
      "  )\n"
      "  if (( CURRENT == 2 )); then\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $words[1] in\n";
  for (const Command& command : Commands()) {
    script += fmt::format("    {})\n      _arguments", command.name);
    for (const CommandOption& option : OptionsOf(command))
      script += " \\\n        " + ZshOption(option);
    script += " ;;\n";
  }
  script +=
      "  esac\n"
      "}\n"
      "if [ \"$funcstack[1]\" = _embedding-service ]; then\n"
      "  _embedding-service \"$@\"\n"
      "else\n"
      "  compdef _embedding-service 'embedding-service'\n"
      "fi\n";
  return script;
}

std::string Fish() {
  std::string script =
      "# Completion for fish.\n"
      "complete -c embedding-service -f -n __fish_use_subcommand -l version -d 'The version'\n";
  const auto quote = [](const std::string& text) { return Quote(text, "\\'"); };
  for (const Command& command : Commands()) {
    script += fmt::format("complete -c embedding-service -f -n __fish_use_subcommand -a {} -d {}\n",
                          command.name, quote(command.summary));
  }
  for (const Command& command : Commands()) {
    for (const CommandOption& option : OptionsOf(command)) {
      if (option.is_word) continue;
      script += fmt::format("complete -c embedding-service -n '__fish_seen_subcommand_from {}'",
                            command.name);
      for (const std::string& name : option.names)
        script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.choices.empty() && !option.is_switch) {
        script += fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
      } else if (!option.value.empty() && !option.is_switch) {
        script += " -r";
      }
      script += " -d " + quote(Short(option.description)) + '\n';
    }
  }
  return script;
}

}  // namespace

std::string Completion(const std::string& shell) {
  return shell == "bash" ? Bash() : shell == "zsh" ? Zsh() : Fish();
}

}  // namespace embedding::cli
