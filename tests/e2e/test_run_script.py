"""./run.sh on a Mac, with a brew, a CMake and a Python that only remember."""

import shutil
import subprocess

import pytest

from mac import DEV, FORMULAS, Mac, executable
from server import ROOT

DEMO = "models/multilingual-e5-small"
CMAKE = """#!/bin/bash
echo "$*" >>"$HOMEBREW_STATE/cmake"
case "$1" in
  --preset) mkdir -p "build/$2" && : >"build/$2/build.ninja" ;;
  --build) cp "$HOMEBREW_STATE/program" build/release/embedding-service ;;
esac
"""
# A virtual environment whose pip has the package, or has not.
PYTHON = """#!/bin/bash
[ "$1 $2" = "-m venv" ] && mkdir -p "$3/bin" && cp "$HOMEBREW_STATE/pip" "$3/bin/pip"
"""
PIP = """#!/bin/bash
while [ $# -gt 0 ]; do
  case "$1" in
    -r) cat "$2" >>"$HOMEBREW_STATE/packages" ;;
    --target) mkdir -p "$2" ;;
  esac
  shift
done
"""


class Clone:
    """run.sh and what it calls, with the demo model fetched already."""

    def __init__(self, directory, **mac):
        (directory / "mac").mkdir()
        self.mac = Mac(directory / "mac", programs={"cmake": CMAKE, "python3": PYTHON}, **mac)
        executable(self.mac.directory / "program", '#!/bin/bash\necho "the server: $*"\n')
        executable(self.mac.directory / "pip", PIP)
        self.root = directory / "clone"
        (self.root / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "run.sh", self.root)
        for name in ("install_dependencies.sh", "fetch_mlx.sh", "fetch_model.sh"):
            shutil.copy(ROOT / "scripts" / name, self.root / "scripts")
        (self.root / DEMO).mkdir(parents=True)
        (self.root / DEMO / ".complete").touch()

    def run(self, *arguments):
        return subprocess.run(["bash", self.root / "run.sh", *arguments], env=self.mac.env, capture_output=True,
                              text=True)  # fmt: skip

    def start(self, *arguments):
        result = self.run(*arguments)
        assert result.returncode == 0, result.stderr
        assert result.stdout.splitlines()[-1].startswith("the server: serve "), result
        return result

    def take(self, name):
        """The lines that one of the programs wrote since the last time."""
        file = self.mac.directory / name
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def test_the_first_start_installs_builds_for_the_gpu_and_serves(clone):
    result = clone.start("--port", "9000")
    assert result.stdout.splitlines()[-1].endswith(f" serve --model {DEMO} --port 9000")
    installed = clone.mac.take_log()
    assert set(installed) == set(FORMULAS) - DEV and len(installed) == len(set(installed))
    # Loops run on threads of our own, products by macOS's Accelerate, downloads by its libcurl.
    assert not {"libomp", "openblas", "curl"} & set(installed)
    (package,) = clone.take("packages")
    assert package.startswith("mlx-metal==") and "--hash=sha256:" in package
    assert clone.take("cmake") == [
        "--preset release -DEMBEDDING_MLX=ON",
        "--build --preset release --target embedding-service",
    ]


def test_the_second_start_only_builds_what_has_changed(clone):
    clone.start()
    for name in ("cmake", "packages"):
        clone.take(name)
    clone.mac.take_log()
    result = clone.start("--model", "BAAI/bge-m3")
    assert result.stdout == "the server: serve --model BAAI/bge-m3\n"
    assert clone.mac.take_log() == [] and clone.take("packages") == [] and "Installing" not in result.stderr
    assert clone.take("cmake") == ["--build --preset release --target embedding-service"]


def test_a_mac_that_mlx_is_not_for_is_told_and_computes_on_the_cpu(clone):
    executable(clone.mac.directory / "pip", "#!/bin/bash\necho 'No matching distribution found' >&2\nexit 1\n")
    result = clone.start()
    assert "it needs macOS 14" in result.stderr and "the CPU alone" in result.stderr
    assert clone.take("cmake")[0] == "--preset release"


def test_a_mac_with_intels_processor_has_no_mlx(tmp_path):
    clone = Clone(tmp_path, machine="x86_64")
    clone.start()
    assert clone.take("packages") == [] and clone.take("cmake")[0] == "--preset release"


def test_without_homebrew_it_says_where_that_is(clone):
    (clone.mac.directory / "bin" / "brew").unlink()
    result = clone.run()
    assert result.returncode == 1 and result.stdout == ""
    assert "https://brew.sh" in result.stderr and "brew shellenv" in result.stderr
    assert "g++" not in result.stderr, "Debian's names are of no use on a Mac"
    assert clone.take("cmake") == []
