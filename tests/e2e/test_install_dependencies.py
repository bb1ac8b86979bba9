"""scripts/install_dependencies.sh where Homebrew is: with a brew that only remembers."""

import shutil
import subprocess

import pytest

from mac import DEV, FORMULAS, Mac, executable
from server import ROOT

SCRIPT = ROOT / "scripts" / "install_dependencies.sh"


def install(mac, *arguments):
    """Runs the script; gives the formulas that it had brew install."""
    result = subprocess.run(["bash", SCRIPT, *arguments], env=mac.env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    installed = mac.take_log()
    said = f"Installing with Homebrew: {' '.join(installed)}\n" if installed else ""
    assert result.stderr == said
    return installed


@pytest.fixture
def mac(tmp_path):
    return Mac(tmp_path)


@pytest.mark.parametrize("arguments", [(), ("dev",)])
def test_the_second_start_installs_nothing(mac, arguments):
    wanted = {f for f in FORMULAS if arguments or f not in DEV}
    first = install(mac, *arguments)
    assert set(first) == wanted and len(first) == len(wanted)
    assert install(mac, *arguments) == []


def test_the_first_start_installs_only_what_is_missing(mac):
    with open(mac.directory / "installed", "a") as installed:
        installed.write("fmt\nboost\nopenssl@3\npython@3.13\n")
    # From python.org, Xcode or anywhere.
    for command in ("python3", "cmake", "pkg-config"):
        executable(mac.directory / "bin" / command)
    installed = install(mac)
    assert not {"fmt", "boost", "openssl@3", "python@3", "cmake", "pkgconf"} & set(installed)
    assert {"ninja", "ccache", "highway", "hiredis"} <= set(installed)
    assert install(mac) == []


def test_a_formula_whose_name_begins_like_another_is_not_taken_for_it(mac):
    (mac.directory / "installed").write_text("fmt@9\nboost@1.85\nopenssl@1.1\n")
    assert {"fmt", "boost", "openssl@3"} <= set(install(mac))


def test_cmake_is_told_where_homebrew_hides_what_macos_has_too(mac):
    script = mac.directory / "prefixes.cmake"
    script.write_text(
        f'set(CMAKE_PREFIX_PATH /given)\ninclude("{ROOT}/cmake/Homebrew.cmake")\n'
        'message(NOTICE "${CMAKE_PREFIX_PATH}")\n'
    )

    def prefixes():
        command = [shutil.which("cmake"), "-P", script]
        result = subprocess.run(command, env=mac.env, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stderr.strip().split(";")

    assert prefixes() == ["/given"], "not installed"
    hidden = mac.directory / "opt" / "openssl@3"
    hidden.mkdir(parents=True)
    assert prefixes() == ["/given", str(hidden)]
    (mac.directory / "bin" / "brew").unlink()
    assert prefixes() == ["/given"], "no Homebrew"
    assert "include(cmake/Homebrew.cmake)" in (ROOT / "cmake" / "Dependencies.cmake").read_text()


def test_it_is_written_for_the_bash_of_macos():
    """Which is 3.2 for ever."""
    fetching = [ROOT / "scripts" / f"fetch_{what}.sh" for what in ("model", "mlx", "tokenizers")]
    for path in (SCRIPT, ROOT / "run.sh", *fetching):
        text = path.read_text()
        assert "#!/usr/bin/env bash" in text
        for newer in ("mapfile", "readarray", "declare -A", "local -A", "${!", ",,}", "^^}", "&>>", "|&"):
            assert newer not in text, (path.name, newer)
