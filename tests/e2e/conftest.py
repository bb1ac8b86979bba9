import pytest

from bge_m3_stub import write_bge_m3_stub
from server import MINILM, TINY_BGE_M3, Server


@pytest.fixture(scope="session")
def minilm():
    with Server(MINILM) as server:
        yield server


@pytest.fixture(scope="session")
def tiny_bge_m3():
    with Server(TINY_BGE_M3) as server:
        yield server


@pytest.fixture(scope="session")
def bge_m3_stub(tmp_path_factory):
    """bge-m3's own tokenizer on a model that is small enough to make up."""
    directory = tmp_path_factory.mktemp("models") / "bge-m3-stub"
    write_bge_m3_stub(directory)
    with Server(directory) as server:
        yield server
