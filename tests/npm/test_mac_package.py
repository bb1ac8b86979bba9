"""A Mac's package and what the launcher does with it, by tools that only remember: no Mac is here."""

import json
import os
import subprocess
import tarfile

import pytest
from npm_project import VERSION
from server import ROOT, environment

PACK = ROOT / "clients" / "npm" / "build_packages.mjs"
# What Homebrew installs of what is linked in, each with its licence.
FORMULAS = ("boost cli11 fmt highway hiredis openssl@3 prometheus-cpp simdjson spdlog toml11 utf8proc").split()
SYSTEM = "/usr/lib/libSystem.B.dylib /usr/lib/libc++.1.dylib /usr/lib/libcurl.4.dylib @rpath/libmlx.dylib".split()
ACCELERATE = "/System/Library/Frameworks/Accelerate.framework/Versions/A/Accelerate"
OTOOL = """#!/bin/sh
case "$1" in
  -L) cat "$FAKES/libraries" ;;
  -l) printf 'Load command 20\\n          cmd LC_RPATH\\n      cmdsize 48\\n         path /build/mlx/lib (offset 12)\\n' ;;
esac
"""
LOG = '#!/bin/sh\necho "${0##*/} $*" >>"$FAKES/log"\n'


def pretend(folder, platform="darwin", arch="arm64", release="24.1.0"):
    """What Node.js is told to tell of the machine."""
    stub = folder / "pretend.cjs"
    stub.write_text(
        f"Object.defineProperty(process, 'platform', {{ value: '{platform}' }});\n"
        f"Object.defineProperty(process, 'arch', {{ value: '{arch}' }});\n"
        f"require('node:os').release = () => '{release}';\n"
    )
    return ["node", "--require", stub]


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Mac:
    def __init__(self, folder):
        self.folder = folder
        self.fakes = folder / "fakes"
        executable(self.fakes / "otool", OTOOL)
        for tool in ("strip", "install_name_tool", "codesign"):
            executable(self.fakes / tool, LOG)
        executable(self.fakes / "brew", f'#!/bin/sh\necho "{folder}/opt/$2"\n')
        for formula in FORMULAS:
            (folder / "opt" / formula).mkdir(parents=True)
            (folder / "opt" / formula / "LICENSE.txt").write_text(f"the licence of {formula}")
        self.need(*SYSTEM, ACCELERATE)
        (folder / "embedding-service").write_bytes(b"a program" * 1000)
        mlx = folder / "mlx"
        (mlx / "mlx" / "lib" / "cmake").mkdir(parents=True)
        for file in ("libmlx.dylib", "mlx.metallib", "libjaccl.dylib"):
            (mlx / "mlx" / "lib" / file).write_text(file)
        (mlx / "mlx_metal-1.dist-info" / "licenses").mkdir(parents=True)
        (mlx / "mlx_metal-1.dist-info" / "licenses" / "LICENSE").write_text("the licence of MLX")
        (folder / "main").mkdir()
        (folder / "main" / "package.json").write_text(
            json.dumps({"name": "embedding-service", "version": VERSION, "files": ["index.js"]})
        )
        (folder / "main" / "index.js").write_text("")

    def need(self, *libraries):
        lines = [f"\t{library} (compatibility version 1.0.0, current version 2.0.0)" for library in libraries]
        (self.fakes / "libraries").write_text("\n".join(["embedding-service:", *lines, ""]))

    def pack(self, **machine):
        env = {**environment(), "PATH": f"{self.fakes}:{os.environ['PATH']}", "FAKES": str(self.fakes)}
        return subprocess.run(
            [*pretend(self.folder, **machine), PACK, "--platform", "darwin-arm64", "--out", self.folder / "out",
             "--binary", self.folder / "embedding-service", "--mlx", self.folder / "mlx", "--main", self.folder / "main"],
            env=env, capture_output=True, text=True,
        )  # fmt: skip

    def log(self):
        return [line.split() for line in (self.fakes / "log").read_text().splitlines()]


@pytest.fixture
def mac(tmp_path):
    return Mac(tmp_path)


def test_a_macs_package_has_the_program_and_mlx(mac):
    result = mac.pack()
    assert result.returncode == 0, result.stderr
    with tarfile.open(mac.folder / "out" / f"embedding-service-darwin-arm64-{VERSION}.tgz") as archive:
        names = {member.name.removeprefix("package/"): member for member in archive.getmembers()}
        assert set(names) == {"package.json", "README.md", "LICENSE", "THIRD_PARTY_LICENCES", "bin/embedding-service",
                              "lib/libmlx.dylib", "lib/mlx.metallib"}  # fmt: skip
        assert names["bin/embedding-service"].mode & 0o111
        manifest = json.load(archive.extractfile("package/package.json"))
        licences = archive.extractfile("package/THIRD_PARTY_LICENCES").read().decode()
    assert (manifest["os"], manifest["cpu"], manifest["version"]) == (["darwin"], ["arm64"], VERSION)
    assert "libc" not in manifest and manifest["embeddingService"]["macos"]["version"] == "14"
    for library in ("MLX", *FORMULAS):
        assert f"the licence of {library}" in licences
    # It finds MLX in the package, not where it was built, and is signed after the last change.
    changes = [(tool, *arguments[:-1]) for tool, *arguments in mac.log()]
    assert changes == [
        ("strip",),
        ("install_name_tool", "-delete_rpath", "/build/mlx/lib"),
        ("install_name_tool", "-add_rpath", "@loader_path/../lib"),
        ("codesign", "--force", "--sign", "-"),
    ]


@pytest.mark.parametrize("library", ["/opt/homebrew/opt/openssl@3/lib/libssl.3.dylib", "@rpath/libfmt.11.dylib"])
def test_a_program_that_needs_homebrew_is_refused(mac, library):
    mac.need(*SYSTEM, library)
    result = mac.pack()
    assert result.returncode == 1
    assert f"needs {library}: configure it with -DEMBEDDING_STATIC=ON" in result.stderr
    assert not list((mac.folder / "out").iterdir())


def test_another_machine_does_not_make_it(mac):
    result = mac.pack(platform="linux", arch="x64")
    assert result.returncode == 1
    assert "is made on a Mac" in result.stderr and ".github/workflows/macos.yml" in result.stderr
    assert (ROOT / ".github" / "workflows" / "macos.yml").exists()
    assert not list((mac.folder / "out").iterdir())


@pytest.fixture
def installed(mac):
    """Both packages as npm installs them, with a program that tells its arguments."""
    executable(mac.folder / "embedding-service", '#!/bin/sh\necho "served: $*"\nexit 3\n')
    assert mac.pack().returncode == 0
    modules = mac.folder / "node_modules"
    for name, file in (("embedding-service", f"embedding-service-{VERSION}.tgz"),
                       ("@embedding-service/darwin-arm64", f"embedding-service-darwin-arm64-{VERSION}.tgz")):  # fmt: skip
        (modules / name).mkdir(parents=True)
        subprocess.run(["tar", "xzf", mac.folder / "out" / file, "--strip-components=1", "-C", modules / name], check=True)
    return mac


def launch(mac, **machine):
    launcher = mac.folder / "node_modules" / "embedding-service" / "bin" / "embedding-service.cjs"
    command = [*pretend(mac.folder, **machine), launcher, "serve", "--port", "9"]
    return subprocess.run(command, env=environment(), capture_output=True, text=True)


def test_a_mac_runs_the_program(installed):
    result = launch(installed)
    assert (result.returncode, result.stdout) == (3, "served: serve --port 9\n"), result.stderr


def test_a_macos_that_is_too_old_is_named(installed):
    result = launch(installed, release="22.6.0")  # macOS 13
    assert result.returncode == 1 and result.stdout == ""
    assert "the server needs macOS 14 or later" in result.stderr and "./run.sh" in result.stderr


def test_a_mac_with_intels_processor_is_told(installed):
    result = launch(installed, arch="x64")
    assert result.returncode == 1
    assert "darwin-x64" in result.stderr and "./run.sh" in result.stderr
