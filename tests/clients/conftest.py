"""The servers that the clients of other services are pointed at, and what those must get."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from model_servers import minilm, tiny_bge_m3, tiny_reranker  # noqa: E402, F401
from test_vectors import assert_close, expected  # noqa: E402

# The servers are on this machine: no client has anything to ask of another.
os.environ |= {"NO_PROXY": "127.0.0.1", "LANGSMITH_TRACING": "false"}


@pytest.fixture(scope="session")
def rows():
    return expected("dense.all-MiniLM-L6-v2.json")


@pytest.fixture(scope="session")
def texts(rows):
    return [row["text"] for row in rows]


@pytest.fixture(scope="session")
def same(rows):
    """same(vectors): asserts that they are the original's, of the first texts."""
    wanted = np.array([row["embedding"] for row in rows], dtype=np.float32)

    def check(vectors, wanted=wanted):
        assert_close(np.array(vectors, dtype=np.float32), wanted[: len(vectors)])

    return check


@pytest.fixture(scope="session")
def ids(minilm, texts):
    """The first texts as token ids."""
    tokens = minilm.post("/tokenize", {"inputs": texts[:5]}).json()
    return [[token["id"] for token in text] for text in tokens]


@pytest.fixture(scope="session")
def ranking():
    """A query, documents, and their (index, cosine) by the original's vectors, best first."""
    query, *rows = expected("tiny-bge-m3.json")[:8]
    scores = [(index, np.dot(query["dense"], row["dense"])) for index, row in enumerate(rows)]
    best_first = sorted(scores, key=lambda pair: -pair[1])
    return query["text"], [row["text"] for row in rows], best_first


@pytest.fixture(scope="session")
def same_ranking(ranking):
    """same_ranking(pairs): asserts that those are the first of the ranking's (index, cosine)."""

    def check(pairs):
        best = ranking[2][: len(pairs)]
        assert [index for index, _ in pairs] == [index for index, _ in best]
        assert [score for _, score in pairs] == pytest.approx([s for _, s in best], abs=1e-4)

    return check
