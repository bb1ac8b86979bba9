"""Reranking, by a cross-encoder against transformers, by bge-m3's vectors against FlagEmbedding."""

import math
from collections import defaultdict

import pytest

from server import DATA, Server
from test_vectors import expected

MAX_LOGIT_DIFFERENCE = 1e-4
MAX_SCORE_DIFFERENCE = 1e-4


def by_index(results, score="score"):
    return [r[score] for r in sorted(results, key=lambda r: r["index"])]


@pytest.fixture(scope="module")
def pairs():
    return expected("tiny-reranker.json")


def test_each_pair_alone_has_the_originals_logit_and_score(tiny_reranker, pairs):
    for pair in pairs:
        body = {"query": pair["query"], "texts": [pair["passage"]]}
        [result] = tiny_reranker.post("/rerank", body).json()
        assert abs(result["score"] - pair["score"]) < MAX_LOGIT_DIFFERENCE
        [result] = tiny_reranker.post("/rerank", {**body, "raw_scores": True}).json()
        assert abs(result["score"] - pair["logit"]) < MAX_LOGIT_DIFFERENCE


def test_pairs_of_one_batch_have_the_originals_logits(tiny_reranker, pairs):
    inputs = [[pair["query"], pair["passage"]] for pair in pairs]
    answers = tiny_reranker.post("/predict", {"inputs": inputs, "raw_scores": True}).json()
    for [answer], pair in zip(answers, pairs, strict=True):
        assert abs(answer["score"] - pair["logit"]) < MAX_LOGIT_DIFFERENCE
        assert answer["label"] == "LABEL_0"


def test_the_best_comes_first(tiny_reranker, pairs):
    texts = [pair["passage"] for pair in pairs]
    body = {"query": pairs[0]["query"], "texts": texts, "return_text": True}
    results = tiny_reranker.post("/rerank", body).json()
    scores = [result["score"] for result in results]
    assert scores == sorted(scores, reverse=True)
    assert sorted(result["index"] for result in results) == list(range(len(texts)))
    assert all(result["text"] == texts[result["index"]] for result in results)


def test_cohere_and_jina_get_their_shape(tiny_reranker, pairs):
    body = {
        "model": "rerank-v3.5",
        "query": pairs[0]["query"],
        "documents": [pairs[0]["passage"], {"text": pairs[1]["passage"]}, "third"],
        "top_n": 2,
        "return_documents": True,
    }
    for path in ("/v1/rerank", "/v2/rerank"):
        answer = tiny_reranker.post(path, body).json()
        assert len(answer["results"]) == 2
        for result in answer["results"]:
            document = body["documents"][result["index"]]
            text = document["text"] if isinstance(document, dict) else document
            assert result["document"]["text"] == text
        scores = [result["relevance_score"] for result in answer["results"]]
        assert scores == sorted(scores, reverse=True)
        assert answer["id"] and answer["model"] == "tiny-reranker"


@pytest.mark.parametrize(
    "mode, weights, key",
    [
        ("dense", None, "dense"),
        ("sparse", None, "sparse"),
        ("colbert", None, "colbert"),
        ("hybrid", [1, 1, 0], "sparse+dense"),
        ("hybrid", None, "colbert+sparse+dense"),
    ],
)
def test_bge_m3_ranks_as_compute_score_does(tiny_bge_m3, mode, weights, key):
    of_query = defaultdict(list)
    for row in expected("tiny-bge-m3.scores.json"):
        of_query[row["query"]].append(row)
    for query, rows in of_query.items():
        body = {"query": query, "documents": [row["passage"] for row in rows], "mode": mode}
        answer = tiny_bge_m3.post("/v1/rerank", {**body, "weights": weights}).json()
        for score, row in zip(by_index(answer["results"], "relevance_score"), rows, strict=True):
            assert abs(score - row[key]) < MAX_SCORE_DIFFERENCE


def test_an_embedding_model_ranks_by_cosine(minilm):
    texts = ["The sky is blue.", "Bananas are yellow.", "Колбаса"]
    results = minilm.post("/rerank", {"query": "What colour is the sky?", "texts": texts}).json()
    assert results[0]["index"] == 0
    sentences = {"source_sentence": "What colour is the sky?", "sentences": texts}
    similarity = minilm.post("/similarity", {"inputs": sentences}).json()
    assert by_index(results) == pytest.approx(similarity)
    assert all(math.isfinite(score) for score in similarity)


def test_two_models_in_one_process(both, pairs):
    """Each request goes to the model that fits it, or to the one that it names."""
    models = [model["id"] for model in both.get("/v1/models").json()["data"]]
    assert models == ["tiny-bge-m3", "tiny-reranker"]
    assert both.post("/embed", {"texts": ["x"]}).json()["model"] == "tiny-bge-m3"
    body = {"query": pairs[0]["query"], "documents": [pairs[0]["passage"]]}
    answer = both.post("/v1/rerank", body).json()
    assert answer["model"] == "tiny-reranker"
    assert abs(answer["results"][0]["relevance_score"] - pairs[0]["score"]) < MAX_LOGIT_DIFFERENCE
    answer = both.post("/v1/rerank", {**body, "model": "tiny-bge-m3"}).json()
    assert answer["model"] == "tiny-bge-m3"


def test_what_a_model_is_not_is_a_424(tiny_reranker, minilm):
    response = tiny_reranker.post("/embed", {"texts": ["x"]})
    assert response.status_code == 424 and "classifier" in response.json()["error"]
    response = minilm.post("/predict", {"inputs": "x"})
    assert response.status_code == 424 and "classifier" in response.json()["error"]


def test_a_classifier_of_several_labels():
    """BERT with its pooler: logits, and the softmax of them, best first."""
    rows = expected("tiny-classifier.json")
    labels = ["bad", "so so", "good"]
    with Server(DATA / "tiny-classifier") as server:
        for row in rows:
            inputs = row["text"] if row["pair"] is None else [row["text"], row["pair"]]
            raw = server.post("/predict", {"inputs": inputs, "raw_scores": True}).json()
            of_label = {entry["label"]: entry["score"] for entry in raw}
            logits = [of_label[label] for label in labels]
            assert logits == pytest.approx(row["logits"], abs=MAX_LOGIT_DIFFERENCE)
            answer = server.post("/predict", {"inputs": inputs}).json()
            total = sum(math.exp(logit) for logit in logits)
            wanted = sorted((math.exp(logit) / total for logit in logits), reverse=True)
            assert [entry["score"] for entry in answer] == pytest.approx(wanted, abs=1e-5)
        pairs = [[row["text"], row["pair"]] for row in rows if row["pair"]]
        together = server.post("/predict", {"inputs": pairs, "raw_scores": True}).json()
        best = [max(row["logits"]) for row in rows if row["pair"]]
        assert [entry[0]["score"] for entry in together] == pytest.approx(best, abs=1e-4)
        response = server.post("/rerank", {"query": "x", "texts": ["y"]})
        assert response.status_code == 424 and "3 labels" in response.json()["error"]
