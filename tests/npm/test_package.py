"""What is in the packages: the server alone, for systems down to which glibc, and how large."""

import json
import os
import re
import subprocess
import tarfile

import pytest
from npm_project import PLATFORM, VERSION, Elf
from npm_registry import read_manifest
from server import ROOT

MOST_BYTES = 15_000_000
# Ubuntu 22.04; Debian 12 has 2.36.
NEWEST_GLIBC = (2, 35)


def by_name(tarballs):
    return {read_manifest(tarball)["name"]: tarball for tarball in tarballs}


def test_the_main_package_brings_the_launcher_and_the_platforms(tarballs):
    manifest = read_manifest(by_name(tarballs)["embedding-service"])
    assert manifest["version"] == VERSION
    assert manifest["optionalDependencies"] == {
        f"@embedding-service/{name}": VERSION for name in ("linux-x64", "linux-arm64", "darwin-arm64")
    }
    assert "scripts" not in manifest and "devDependencies" not in manifest
    assert manifest["exports"]["."]


def test_the_platforms_package_is_for_it_alone(tarballs):
    tarball = by_name(tarballs)[f"@embedding-service/{PLATFORM}"]
    manifest = read_manifest(tarball)
    assert manifest["version"] == VERSION and "dependencies" not in manifest
    assert f"{manifest['os'][0]}-{manifest['cpu'][0]}" == PLATFORM and manifest["libc"] == ["glibc"]
    with tarfile.open(tarball) as archive:
        program = archive.getmember("package/bin/embedding-service")
        assert program.mode & 0o111 and program.size <= MOST_BYTES
        licences = archive.extractfile("package/THIRD_PARTY_LICENCES").read().decode()
    for library in ("OpenSSL", "curl", "fmt", "simdjson", "Highway|highway|Copyright.*Google", "Boost"):
        assert re.search(library, licences), library
    assert tarball.stat().st_size <= MOST_BYTES / 2


def test_it_needs_the_c_library_alone(project):
    elf = Elf(project.program)
    assert {n for n in elf.libraries if not n.startswith("ld-linux")} == {"libc.so.6", "libm.so.6"}
    assert max(elf.glibc) <= NEWEST_GLIBC
    manifest = json.loads((project.program.parents[1] / "package.json").read_text())
    assert manifest["embeddingService"]["glibc"] == "%d.%d" % max(elf.glibc)[:2]


@pytest.mark.skipif(PLATFORM == "linux-arm64", reason="is that platform")
def test_a_program_of_another_platform_is_not_packed(project, tmp_path):
    result = subprocess.run(
        ["node", ROOT / "clients" / "npm" / "build_packages.mjs", "--platform", "linux-arm64", "--out", tmp_path,
         "--binary", project.program],
        env={**os.environ, "STRIP": "true"}, capture_output=True, text=True)  # fmt: skip
    assert result.returncode == 1 and "is not a program for linux-arm64" in result.stderr
    assert not list(tmp_path.iterdir())


def test_only_this_platforms_package_is_installed(project):
    assert [p.name for p in (project.folder / "node_modules" / "@embedding-service").iterdir()] == [PLATFORM]


def test_versions_are_the_projects(project):
    result = project.npx("--version")
    assert result.returncode == 0 and VERSION in result.stdout, result
    assert f"VERSION {VERSION}" in (ROOT / "CMakeLists.txt").read_text()
