"""What cmake --install and the Debian package put where: it computes from there, wherever that is."""

import shutil
import sys

import pytest
from conftest import BUILD, run
from server import TINY_BGE_M3, Server


@pytest.fixture(params=["install", "debian"])
def prefix(request, tmp_path):
    if request.param == "install":
        run("cmake", "--install", BUILD, "--prefix", tmp_path / "first", "--component", "server")
        return (tmp_path / "first").rename(tmp_path / "moved")
    if shutil.which("dpkg") is None:
        pytest.skip("needs dpkg")
    run("cmake", "-S", ".", "-B", BUILD, "-DCMAKE_INSTALL_PREFIX=/usr")
    try:
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", tmp_path)
    finally:
        run("cmake", "-S", ".", "-B", BUILD, "-UCMAKE_INSTALL_PREFIX")
    [file] = tmp_path.glob("*.deb")
    run("dpkg-deb", "--extract", file, tmp_path / "unpacked")
    return tmp_path / "unpacked" / "usr"


@pytest.fixture
def no_other_mlx():
    """That of the build is away while the installed program runs."""
    wheel = BUILD.parent / "mlx-wheel"
    away = wheel.rename(wheel.with_name("mlx-wheel-away"))
    yield
    away.rename(wheel)


def test_mlx_is_found_beside_the_program(prefix, no_other_mlx):
    library = "libmlx.dylib" if sys.platform == "darwin" else "libmlx.so"
    assert (prefix / "lib" / "embedding-service" / library).is_file()
    program = prefix / "bin" / "embedding-service"
    with Server(TINY_BGE_M3, "--device", "mlx-cpu", program=(program,)) as server:
        assert server.get("/health").json()["device"] == "mlx-cpu"
        assert len(server.post("/embed", {"texts": ["a text"]}).json()["embeddings"]) == 1
