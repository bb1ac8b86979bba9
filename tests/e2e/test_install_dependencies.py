"""scripts/install_dependencies.sh where Homebrew is: with a brew that only remembers."""

import shutil
import subprocess

import pytest

from server import ROOT

SCRIPT = ROOT / "scripts" / "install_dependencies.sh"
# What a formula brings, and what `brew list` calls it, where that is not its name.
COMMANDS = {"cmake": "cmake", "ninja": "ninja", "ccache": "ccache", "pkgconf": "pkg-config",
            "python@3": "python3", "clang-format": "clang-format", "node": "npm", "fish": "fish",
            "nginx": "nginx", "prometheus": "promtool", "redis": "redis-server"}  # fmt: skip
LISTED = {"python@3": "python@3.14"}

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


def executable(path, text="#!/bin/sh\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Mac:
    """A PATH with a brew, and none of what this machine has but for the system's own tools."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "bin").mkdir()
        for tool in ("bash", "cat", "cp", "tr", "uname", "id"):
            (directory / "bin" / tool).symlink_to(shutil.which(tool))
        executable(directory / "bin" / "brew", BREW)
        (directory / "installed").write_text("")
        (directory / "log").write_text("")
        for formula in self.formulas():
            bring = directory / "formulas" / formula
            bring.mkdir(parents=True)
            (bring / "listed").write_text(LISTED.get(formula, formula) + "\n")
            if formula in COMMANDS:
                executable(bring / "bin" / COMMANDS[formula])

    @staticmethod
    def formulas():
        libraries = ("highway boost simdjson nlohmann-json spdlog fmt cli11 toml11 utf8proc prometheus-cpp "
                     "hiredis openssl@3 curl googletest google-benchmark")  # fmt: skip
        return [*COMMANDS, *libraries.split()]

    def install(self, *arguments):
        """Runs the script; gives the formulas that it had brew install."""
        (self.directory / "log").write_text("")
        env = {"PATH": str(self.directory / "bin"), "HOMEBREW_STATE": str(self.directory)}
        result = subprocess.run(["bash", SCRIPT, *arguments], env=env, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        installed = (self.directory / "log").read_text().split()
        said = f"Installing with Homebrew: {' '.join(installed)}\n" if installed else ""
        assert result.stderr == said
        return installed


@pytest.fixture
def mac(tmp_path):
    return Mac(tmp_path)


@pytest.mark.parametrize("arguments", [(), ("dev",)])
def test_the_second_start_installs_nothing(mac, arguments):
    dev = ("clang-format", "node", "nginx", "prometheus", "redis", "fish", "googletest", "google-benchmark",
           "nlohmann-json")
    wanted = {f for f in mac.formulas() if arguments or f not in dev}
    first = mac.install(*arguments)
    assert set(first) == wanted and len(first) == len(wanted)
    assert mac.install(*arguments) == []


def test_the_first_start_installs_only_what_is_missing(mac):
    with open(mac.directory / "installed", "a") as installed:
        installed.write("fmt\nboost\nopenssl@3\npython@3.13\n")
    # From python.org, Xcode or anywhere.
    for command in ("python3", "cmake", "pkg-config"):
        executable(mac.directory / "bin" / command)
    installed = mac.install()
    assert not {"fmt", "boost", "openssl@3", "python@3", "cmake", "pkgconf"} & set(installed)
    assert {"ninja", "ccache", "highway", "curl"} <= set(installed)
    assert mac.install() == []


def test_a_formula_whose_name_begins_like_another_is_not_taken_for_it(mac):
    (mac.directory / "installed").write_text("fmt@9\nboost@1.85\nopenssl@1.1\n")
    assert {"fmt", "boost", "openssl@3"} <= set(mac.install())


def test_cmake_is_told_where_homebrew_hides_what_macos_has_too(mac):
    script = mac.directory / "prefixes.cmake"
    script.write_text(
        f'set(CMAKE_PREFIX_PATH /given)\ninclude("{ROOT}/cmake/Homebrew.cmake")\n'
        'message(NOTICE "${CMAKE_PREFIX_PATH}")\n'
    )
    env = {"PATH": str(mac.directory / "bin"), "HOMEBREW_STATE": str(mac.directory)}

    def prefixes():
        command = [shutil.which("cmake"), "-P", script]
        result = subprocess.run(command, env=env, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stderr.strip().split(";")

    assert prefixes() == ["/given"], "not installed"
    hidden = [mac.directory / "opt" / formula for formula in ("openssl@3", "curl")]
    for prefix in hidden:
        prefix.mkdir(parents=True)
    assert prefixes() == ["/given", *map(str, hidden)]
    (mac.directory / "bin" / "brew").unlink()
    assert prefixes() == ["/given"], "no Homebrew"
    assert "include(cmake/Homebrew.cmake)" in (ROOT / "cmake" / "Dependencies.cmake").read_text()


def test_it_is_written_for_the_bash_of_macos():
    """Which is 3.2 for ever."""
    for path in (SCRIPT, ROOT / "run.sh", ROOT / "scripts" / "fetch_model.sh"):
        text = path.read_text()
        assert "#!/usr/bin/env bash" in text
        for newer in ("mapfile", "readarray", "declare -A", "local -A", "${!", ",,}", "^^}", "&>>", "|&"):
            assert newer not in text, (path.name, newer)
