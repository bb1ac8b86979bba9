"""The server for Arm's 64-bit Linux as npm brings it, run by qemu on processors of several kinds."""

import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "npm")]

from npm_project import VERSION  # noqa: E402
from server import ROOT  # noqa: E402

signal.signal(signal.SIGINT, signal.default_int_handler)

SYSROOT = ROOT / "build" / "arm64-sysroot"


class Package:
    """What was packed, unpacked."""

    def __init__(self, tarball, folder):
        self.tarball = tarball
        with tarfile.open(tarball) as archive:
            archive.extractall(folder)
        self.folder = folder / "package"
        self.program = self.folder / "bin" / "embedding-service"

    def on(self, cpu):
        """The command of it on a processor that qemu knows."""
        return ("qemu-aarch64-static", "-cpu", cpu, "-L", str(SYSROOT), str(self.program))


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    subprocess.run([ROOT / "clients" / "npm" / "build.sh", "linux-arm64"], check=True, stdout=subprocess.DEVNULL)
    tarball = ROOT / "build" / "npm-packages" / f"embedding-service-linux-arm64-{VERSION}.tgz"
    return Package(tarball, tmp_path_factory.mktemp("package"))
