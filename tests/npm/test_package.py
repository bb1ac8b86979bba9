"""What is in the packages: the server alone, for systems down to which glibc, and how large."""

import json
import re
import tarfile

from npm_project import PLATFORM, VERSION
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
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
    with open(project.program, "rb") as file:
        elf = ELFFile(file)
        needed = [tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")]
        versions = {
            tuple(map(int, version.name.removeprefix("GLIBC_").split(".")))
            for section in elf.iter_sections() if isinstance(section, GNUVerNeedSection)
            for _, entries in section.iter_versions() for version in entries
            if re.fullmatch(r"GLIBC_[\d.]+", version.name)
        }  # fmt: skip
    assert {n for n in needed if not n.startswith("ld-linux")} == {"libc.so.6", "libm.so.6"}
    assert max(versions) <= NEWEST_GLIBC
    declared = read_declared(project)
    assert declared == "%d.%d" % max(versions)[:2]


def read_declared(project):


    return json.loads((project.program.parents[1] / "package.json").read_text())["embeddingService"]["glibc"]


def test_only_this_platforms_package_is_installed(project):
    assert [p.name for p in (project.folder / "node_modules" / "@embedding-service").iterdir()] == [PLATFORM]


def test_versions_are_the_projects(project):
    result = project.npx("--version")
    assert result.returncode == 0 and VERSION in result.stdout, result
    assert f"VERSION {VERSION}" in (ROOT / "CMakeLists.txt").read_text()
