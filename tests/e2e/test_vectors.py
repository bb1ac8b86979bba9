"""The vectors that come over HTTP against those of the Python originals."""

import json
import platform
import random

import numpy as np
import pytest

from server import DATA, MINILM, Server

MIN_COSINE = 0.999999
MAX_DIFFERENCE = 2e-5
# The same text alone and in company may differ by rounding only.
MAX_DIFFERENCE_BETWEEN_WAYS = 1e-6


def expected(name):
    return json.loads((DATA / "expected" / name).read_text())


def embed(server, texts, **options):
    response = server.post("/embed", {"texts": texts, **options})
    assert response.status_code == 200, response.text
    return np.array(response.json()["embeddings"], dtype=np.float32)


def assert_close(actual, wanted):
    assert actual.shape == wanted.shape
    assert np.abs(actual - wanted).max() < MAX_DIFFERENCE
    norms = np.linalg.norm(actual, axis=1) * np.linalg.norm(wanted, axis=1)
    assert ((actual * wanted).sum(axis=1) / norms).min() > MIN_COSINE


CASES = [
    ("minilm", "dense.all-MiniLM-L6-v2.json", "embedding", True),
    ("minilm", "dense.all-MiniLM-L6-v2.json", "unnormalized", False),
    ("tiny_bge_m3", "tiny-bge-m3.json", "dense", True),
]


@pytest.mark.parametrize("model, file, key, normalize", CASES)
def test_vectors_are_those_of_the_original_alone_together_and_shuffled(
    model, file, key, normalize, request
):
    server = request.getfixturevalue(model)
    rows = expected(file)
    texts = [row["text"] for row in rows]
    wanted = np.array([row[key] for row in rows], dtype=np.float32)

    together = embed(server, texts, normalize=normalize)
    assert_close(together, wanted)

    alone = np.concatenate([embed(server, [text], normalize=normalize) for text in texts])
    assert_close(alone, wanted)
    assert np.abs(alone - together).max() < MAX_DIFFERENCE_BETWEEN_WAYS

    order = random.Random(1).sample(range(len(texts)), len(texts))
    shuffled = embed(server, [texts[i] for i in order], normalize=normalize)
    assert np.abs(shuffled - together[order]).max() < MAX_DIFFERENCE_BETWEEN_WAYS


def test_vectors_are_those_of_the_original_with_a_smaller_instruction_set():
    rows = expected("dense.all-MiniLM-L6-v2.json")
    smaller = {"x86_64": "avx2", "aarch64": "neon"}[platform.machine()]
    with Server(MINILM, "--instruction-set", smaller, "--dtype", "f32") as server:
        vectors = embed(server, [row["text"] for row in rows])
    assert_close(vectors, np.array([row["embedding"] for row in rows], dtype=np.float32))


def test_dimensions_cuts_and_normalises_again(minilm):
    whole = embed(minilm, ["a text"])[0]
    cut = embed(minilm, ["a text"], dimensions=64)[0]
    assert cut.shape == (64,)
    assert np.abs(cut - whole[:64] / np.linalg.norm(whole[:64])).max() < 1e-6


def test_the_answer_is_the_contract(minilm):
    response = minilm.post("/embed", {"texts": ["hello", "world"]})
    body = response.json()
    assert response.headers["content-type"] == "application/json"
    assert "x-truncated" not in response.headers
    assert set(body) == {"embeddings", "model", "dimension", "usage"}
    assert body["model"] == "all-MiniLM-L6-v2"
    assert body["dimension"] == 384
    assert body["usage"] == {"prompt_tokens": 6, "total_tokens": 6}


def test_one_string_is_an_array_of_one(minilm):
    assert (embed(minilm, "hello") == embed(minilm, ["hello"])).all()


def test_the_empty_text_has_a_vector(minilm):
    assert np.linalg.norm(embed(minilm, [""])[0]) == pytest.approx(1, abs=1e-5)


def test_long_texts_are_cut_and_counted(minilm):
    long = "word " * 5000
    response = minilm.post("/embed", {"texts": ["short", long, long + "more"]})
    assert response.headers["x-truncated"] == "2"
    embeddings = np.array(response.json()["embeddings"])
    assert np.abs(embeddings[1] - embeddings[2]).max() < MAX_DIFFERENCE_BETWEEN_WAYS


def test_a_hundred_texts_at_once(tiny_bge_m3):
    texts = [f"text number {i}" for i in range(100)]
    assert embed(tiny_bge_m3, texts).shape == (100, 128)
