"""bge-m3's three outputs, alone and together, against FlagEmbedding's."""

import shutil
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from server import DATA, TINY_BGE_M3, Server
from test_vectors import assert_close, expected

sys.path.insert(0, str(DATA))
from weight_files import TensorUnpickler, torch_weights  # noqa: E402

MAX_WEIGHT_DIFFERENCE = 1e-4
ALL_HEADS = {"return_sparse": True, "return_colbert_vecs": True}


@pytest.fixture(scope="module")
def rows():
    return expected("tiny-bge-m3.json")


def assert_weights(actual, wanted):
    assert list(actual) == list(wanted)
    for token, weight in wanted.items():
        assert abs(actual[token] - weight) < MAX_WEIGHT_DIFFERENCE, token


def assert_colbert(actual, row):
    actual = np.array(actual, dtype=np.float32)
    assert len(actual) == row["colbert_rows"]
    wanted = np.array(row["colbert"], dtype=np.float32)
    assert_close(actual[: len(wanted)], wanted)


def assert_all(answer, rows):
    assert_close(
        np.array(answer["embeddings"], dtype=np.float32),
        np.array([row["dense"] for row in rows], dtype=np.float32),
    )
    for i, row in enumerate(rows):
        assert_weights(answer["lexical_weights"][i], row["lexical_weights"])
        assert_colbert(answer["colbert_vecs"][i], row)


def test_all_three_of_all_texts_in_one_request(tiny_bge_m3, rows):
    body = {"texts": [row["text"] for row in rows], **ALL_HEADS}
    assert_all(tiny_bge_m3.post("/embed", body).json(), rows)


def test_all_three_of_each_text_alone(tiny_bge_m3, rows):
    for row in rows:
        answer = tiny_bge_m3.post("/embed", {"texts": [row["text"]], **ALL_HEADS}).json()
        assert_all(answer, [row])


def test_only_what_is_asked_for_is_answered(tiny_bge_m3, rows):
    texts = [row["text"] for row in rows[:2]]
    dense = tiny_bge_m3.post("/embed", {"texts": texts}).json()
    assert "lexical_weights" not in dense and "colbert_vecs" not in dense
    sparse = tiny_bge_m3.post(
        "/embed", {"texts": texts, "return_dense": False, "return_sparse": True}
    ).json()
    assert "embeddings" not in sparse and "colbert_vecs" not in sparse
    assert_weights(sparse["lexical_weights"][1], rows[1]["lexical_weights"])


def test_requests_for_different_heads_at_the_same_time(tiny_bge_m3, rows):
    """They meet in common batches, and each gets what it would get alone."""

    def ask(i):
        flags = {
            "return_dense": i % 7 in (0, 3, 4, 6),
            "return_sparse": i % 7 in (1, 3, 5, 6),
            "return_colbert_vecs": i % 7 in (2, 4, 5, 6),
        }
        mine = [rows[i % len(rows)], rows[i * 7 % len(rows)]]
        answer = tiny_bge_m3.post("/embed", {"texts": [row["text"] for row in mine], **flags}).json()
        for k, row in enumerate(mine):
            if flags["return_dense"]:
                assert_close(
                    np.array([answer["embeddings"][k]], dtype=np.float32),
                    np.array([row["dense"]], dtype=np.float32),
                )
            if flags["return_sparse"]:
                assert_weights(answer["lexical_weights"][k], row["lexical_weights"])
            if flags["return_colbert_vecs"]:
                assert_colbert(answer["colbert_vecs"][k], row)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(140)))


def test_colbert_vectors_may_be_narrower_than_hidden_states(tmp_path, rows):
    """Those of a head of the first 40 rows are the originals' first 40 components, made length 1."""
    size = 40
    with zipfile.ZipFile(TINY_BGE_M3 / "colbert_linear.pt") as archive:
        prefix = archive.namelist()[0].split("/")[0]
        head = TensorUnpickler(archive, prefix).load()
    shutil.copytree(TINY_BGE_M3, tmp_path / "model")
    narrow = {name: tensor[:size].astype(np.float32) for name, tensor in head.items()}
    (tmp_path / "model/colbert_linear.pt").write_bytes(torch_weights(narrow))
    body = {"texts": [row["text"] for row in rows[:3]], "return_colbert_vecs": True}
    with Server(tmp_path / "model") as server:
        answer = server.post("/embed", body).json()["colbert_vecs"]
    for vectors, row in zip(answer, rows, strict=False):
        wanted = np.array(row["colbert"], dtype=np.float32)[:, :size]
        wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
        assert_close(np.array(vectors, dtype=np.float32)[: len(wanted)], wanted)


@pytest.mark.parametrize(
    "flag, file", [("return_sparse", "sparse_linear.pt"), ("return_colbert_vecs", "colbert_linear.pt")]
)
def test_a_model_without_the_head_says_which_file_is_missing(minilm, flag, file):
    response = minilm.post("/embed", {"texts": ["x"], flag: True})
    assert response.status_code == 424
    assert response.json()["error_type"] == "Backend"
    assert file in response.json()["error"]
