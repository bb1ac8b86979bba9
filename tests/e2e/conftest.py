import signal

import pytest

from background import Background
from bge_m3_stub import write_bge_m3_stub
from model_servers import minilm, tiny_bge_m3, tiny_reranker  # noqa: F401
from server import TINY_BGE_M3, TINY_RERANKER, Server

# A shell that runs the tests in the background has them ignore it, and so all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def both():
    """bge-m3's kind and a reranker in one process."""
    with Server(TINY_BGE_M3, "--model", TINY_RERANKER) as server:
        yield server


@pytest.fixture(scope="session")
def bge_m3_stub(tmp_path_factory):
    """bge-m3's own tokenizer on a model that is small enough to make up."""
    directory = tmp_path_factory.mktemp("models") / "bge-m3-stub"
    write_bge_m3_stub(directory)
    with Server(directory) as server:
        yield server


@pytest.fixture
def background(tmp_path):
    with Background(tmp_path / "state") as it:
        yield it
