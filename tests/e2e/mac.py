"""A PATH as on a Mac: a brew that only remembers, and none of what this machine has but for the system's own tools."""

import shutil

# What a formula brings, and what `brew list` calls it, where that is not its name.
COMMANDS = {"cmake": "cmake", "ninja": "ninja", "ccache": "ccache", "pkgconf": "pkg-config",
            "python@3": "python3", "clang-format": "clang-format", "node": "npm", "fish": "fish",
            "nginx": "nginx", "prometheus": "promtool", "redis": "redis-server"}  # fmt: skip
LISTED = {"python@3": "python@3.14"}
LIBRARIES = """highway boost simdjson nlohmann-json spdlog fmt cli11 toml11 utf8proc prometheus-cpp
               hiredis openssl@3 googletest google-benchmark""".split()  # fmt: skip
FORMULAS = [*COMMANDS, *LIBRARIES]
# Of these ./test.sh alone has a use.
DEV = {"clang-format", "node", "nginx", "prometheus", "redis", "fish", "googletest", "google-benchmark", "nlohmann-json"}
SYSTEM_TOOLS = ("bash", "cat", "cp", "dirname", "id", "mkdir", "rm", "tr")

BREW = """#!/bin/bash
set -e
case "$1" in
  list) cat "$HOMEBREW_STATE/installed" ;;
  --prefix) echo "$HOMEBREW_STATE/opt/$2" ;;
  install)
    shift
    for formula in "$@"; do
      echo "$formula" >>"$HOMEBREW_STATE/log"
      bring="$HOMEBREW_STATE/formulas/$formula"
      cat "$bring/listed" >>"$HOMEBREW_STATE/installed"
      [ ! -d "$bring/bin" ] || cp "$bring/bin/"* "$HOMEBREW_STATE/bin/"
    done ;;
esac
"""
UNAME = """#!/bin/bash
case "${1:-}" in
  -m) echo MACHINE ;;
  -sm) echo Darwin MACHINE ;;
  *) echo Darwin ;;
esac
"""


def executable(path, text="#!/bin/sh\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Mac:
    """`programs`: what commands do that formulas bring, by their names; the others do nothing."""

    def __init__(self, directory, machine="arm64", programs=()):
        self.directory = directory
        (directory / "bin").mkdir()
        for tool in SYSTEM_TOOLS:
            (directory / "bin" / tool).symlink_to(shutil.which(tool))
        executable(directory / "bin" / "uname", UNAME.replace("MACHINE", machine))
        executable(directory / "bin" / "brew", BREW)
        (directory / "installed").write_text("")
        (directory / "log").write_text("")
        for formula in FORMULAS:
            bring = directory / "formulas" / formula
            bring.mkdir(parents=True)
            (bring / "listed").write_text(LISTED.get(formula, formula) + "\n")
            if command := COMMANDS.get(formula):
                executable(bring / "bin" / command, dict(programs).get(command, "#!/bin/sh\n"))
        self.env = {"PATH": str(directory / "bin"), "HOMEBREW_STATE": str(directory)}

    def take_log(self):
        """The formulas that were installed since the last time."""
        log = self.directory / "log"
        installed = log.read_text().split()
        log.write_text("")
        return installed
