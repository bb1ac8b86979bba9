"""The build with MLX's CUDA variant, on a machine without NVIDIA's driver."""

import pytest
from conftest import BUILD
from server import TINY_BGE_M3, Server, run


@pytest.mark.parametrize("device", ["mlx-cuda", "mlx-cuda:1"])
def test_its_device_is_not_there_and_the_reason_is_told(device):
    result = run("serve", "--model", TINY_BGE_M3, "--port", 0, "--device", device)
    assert result.returncode == 5, result.stderr
    assert f"the device {device} is not there" in result.stderr
    assert "NVIDIA" in result.stderr and "choose the device auto or cpu" in result.stderr


def test_everything_else_is(tmp_path):
    """The program itself is linked with nothing of NVIDIA's."""
    assert list(BUILD.glob("embedding-mlx-*.so"))
    with Server(TINY_BGE_M3, "--device", "auto") as server:
        assert server.get("/health").json()["device"] == "cpu"
        assert "libmlx" not in open(f"/proc/{server.process.pid}/maps").read()


def test_replicas_of_it_are_refused():
    result = run("serve", "--model", TINY_BGE_M3, "--port", 0, "--device", "mlx-cuda", "--replicas", 2)
    assert result.returncode == 5
