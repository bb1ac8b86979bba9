"""The packages of npm, built and packed as they are published, and an empty project that installs them."""

import functools
import json
import platform
import re
import subprocess

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from npm_registry import Registry, read_manifest
from server import PATIENCE_S, ROOT, environment

PLATFORM = f"linux-{ {'x86_64': 'x64', 'aarch64': 'arm64'}[platform.machine()] }"
VERSION = re.search(r"embedding-service VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


class Elf:
    """What a program asks of the system: its machine, libraries, and versions of glibc, (2, 35) and so on."""

    def __init__(self, program):
        with open(program, "rb") as file:
            elf = ELFFile(file)
            self.machine = elf["e_machine"]
            self.libraries = {tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")}
            self.glibc = {
                tuple(map(int, version.name.removeprefix("GLIBC_").split(".")))
                for section in elf.iter_sections() if isinstance(section, GNUVerNeedSection)
                for _, entries in section.iter_versions() for version in entries
                if re.fullmatch(r"GLIBC_[\d.]+", version.name)
            }  # fmt: skip


class Project:
    """A folder with a package.json. npm in it knows the local registry alone."""

    def __init__(self, folder, registry, cache):
        self.folder = folder
        (folder / "package.json").write_text(json.dumps({"name": "app", "version": "1.0.0", "private": True}))
        (folder / ".npmrc").write_text(
            f"registry={registry.url}\ncache={cache}\naudit=false\nfund=false\nupdate-notifier=false\n"
        )
        self.env = {k: v for k, v in environment().items() if not k.lower().startswith("npm_")}

    def install(self, *arguments):
        subprocess.run(["npm", "install", "--no-package-lock", *arguments], cwd=self.folder, env=self.env,
                       check=True, timeout=PATIENCE_S, capture_output=True)

    def run(self, *command, env=(), **options):
        return subprocess.run([*map(str, command)], cwd=self.folder, env={**self.env, **dict(env)},
                              capture_output=True, text=True, timeout=PATIENCE_S, **options)

    def npx(self, *arguments, **options):
        return self.run("npx", "--no-install", "embedding-service", *arguments, **options)

    @property
    def launcher(self):
        return self.folder / "node_modules" / "embedding-service" / "bin" / "embedding-service.cjs"

    @property
    def program(self):
        return self.folder / "node_modules" / "@embedding-service" / PLATFORM / "bin" / "embedding-service"


@functools.cache  # tests/npm and tests/guide have a fixture each
def build_packages():
    subprocess.run([ROOT / "clients" / "npm" / "build.sh"], check=True, stdout=subprocess.DEVNULL)
    return sorted((ROOT / "build" / "npm-packages").glob(f"*-{VERSION}.tgz"))


@pytest.fixture(scope="session")
def tarballs():
    """The main package and this platform's."""
    return [
        tarball for tarball in build_packages()
        if read_manifest(tarball)["name"] in ("embedding-service", f"@embedding-service/{PLATFORM}")
    ]  # fmt: skip


@pytest.fixture(scope="session")
def registry(tarballs):
    """With them, and what the registry would tell of the other platforms."""
    manifests = [read_manifest(tarball) for tarball in tarballs]
    mine = next(m for m in manifests if m["name"].startswith("@"))
    platforms = json.loads((ROOT / "clients" / "npm" / "platforms.json").read_text())
    others = [
        {**mine, "name": f"@embedding-service/{name}", "os": [p["os"]], "cpu": [p["cpu"]]}
        for name, p in platforms.items() if name != PLATFORM
    ]  # fmt: skip
    with Registry(tarballs, others) as registry:
        yield registry


@pytest.fixture(scope="session")
def npm_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("npm-cache")


@pytest.fixture
def empty_project(tmp_path, registry, npm_cache):
    return Project(tmp_path, registry, npm_cache)


@pytest.fixture(scope="session")
def project(tmp_path_factory, registry, npm_cache):
    """With the package installed."""
    project = Project(tmp_path_factory.mktemp("project"), registry, npm_cache)
    project.install("embedding-service")
    return project
