"""Fixtures of servers with a model each, for tests here and in tests/clients."""

import pytest

from server import MINILM, TINY_BGE_M3, TINY_RERANKER, Server


@pytest.fixture(scope="session")
def minilm():
    with Server(MINILM) as server:
        yield server


@pytest.fixture(scope="session")
def tiny_bge_m3():
    with Server(TINY_BGE_M3) as server:
        yield server


@pytest.fixture(scope="session")
def tiny_reranker():
    with Server(TINY_RERANKER) as server:
        yield server
