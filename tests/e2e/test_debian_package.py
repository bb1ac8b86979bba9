"""The Debian package: made, installed, run, removed and purged, on this machine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import server
from server import BINARY, ROOT, TINY_BGE_M3, Server, environment

pytestmark = pytest.mark.skipif(
    shutil.which("dpkg") is None or os.geteuid() != 0, reason="needs dpkg, and root to install"
)
CONFIG = Path("/etc/embedding-service/config.toml")
UNIT = Path("/usr/lib/systemd/system/embedding-service.service")
PROGRAM = Path("/usr/bin/embedding-service")


def run(*command):
    result = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Made of the program that is tested, as README says."""
    directory = tmp_path_factory.mktemp("packages")
    build = BINARY.parent
    run("cmake", "-S", ".", "-B", build, "-DCMAKE_INSTALL_PREFIX=/usr")
    try:
        run("cpack", "--config", build / "CPackConfig.cmake", "-B", directory)
    finally:
        run("cmake", "-S", ".", "-B", build, "-UCMAKE_INSTALL_PREFIX")
    [file] = directory.glob("*.deb")
    return file


@pytest.fixture
def installed(package):
    assert not PROGRAM.exists() and not CONFIG.parent.exists(), "it is installed here already"
    run("dpkg", "--install", package)
    yield
    subprocess.run(["dpkg", "--purge", "embedding-service"], capture_output=True)


def test_depends_on_what_it_links(package):
    depends = run("dpkg-deb", "--field", package, "Depends")
    for library in ("libc6", "libssl3", "libcurl4", "libstdc++6"):
        assert library in depends
    assert run("dpkg-deb", "--field", package, "Version").strip() == run(BINARY, "--version").split()[1]


def test_runs_and_leaves_nothing_behind(installed, monkeypatch):
    assert f"ExecStart={PROGRAM} serve --config {CONFIG}\n" in UNIT.read_text()
    run("systemd-analyze", "verify", "--man=no", UNIT)
    monkeypatch.setattr(server, "BINARY", PROGRAM)
    with Server(TINY_BGE_M3, "--config", CONFIG, env=environment()) as running:
        assert len(running.post("/embed", {"texts": ["a"]}).json()["embeddings"]) == 1

    CONFIG.write_text(CONFIG.read_text() + "# mine\n")
    run("dpkg", "--remove", "embedding-service")
    assert not PROGRAM.exists() and not UNIT.exists()
    assert CONFIG.read_text().endswith("# mine\n")
    run("dpkg", "--purge", "embedding-service")
    assert not CONFIG.parent.exists()
