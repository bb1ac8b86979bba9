"""Fields of every dialect that change the answer: each is read, or refused; none is passed over."""

import numpy as np
import pytest

from test_vectors import assert_close

LONG = "one " * 200 + "two " * 200  # 256 tokens are taken
SHORT = "one " * 100


def scores(answer):
    return [entry["score"] for entry in sorted(answer, key=lambda entry: entry["index"])]


def vectors(server, path, body):
    answer = server.post(path, body).json()
    if isinstance(answer, list):
        return np.array(answer)
    if "data" in answer:
        return np.array([item["embedding"] for item in answer["data"]])
    return np.array(answer["embeddings"])


@pytest.mark.parametrize(
    "path, body",
    [
        ("/embed", {"texts": [LONG]}),
        ("/embed", {"inputs": [LONG]}),
        ("/v1/embeddings", {"input": [LONG]}),
        ("/api/embed", {"input": [LONG]}),
    ],
)
def test_which_end_of_a_text_is_cut(minilm, path, body):
    right = vectors(minilm, path, body)
    left = vectors(minilm, path, {**body, "truncation_direction": "Left"})
    assert np.abs(right - left).max() > 0.01
    assert minilm.post(path, {**body, "truncation_direction": "up"}).status_code == 422
    response = minilm.post(path, {**body, "truncate": False})
    assert response.status_code == 422
    assert minilm.post(path, body).headers["x-truncated"] == "1"


def test_which_end_is_cut_when_texts_are_ranked(minilm, tiny_reranker):
    long = "one " * 600 + "two " * 600
    for server, path, body, read in [
        (minilm, "/rerank", {"query": "two", "texts": [LONG]}, scores),
        (tiny_reranker, "/rerank", {"query": "two", "texts": [long]}, scores),
        (
            minilm,
            "/v1/rerank",
            {"query": "two", "documents": [LONG]},
            lambda answer: [answer["results"][0]["relevance_score"]],
        ),
        (tiny_reranker, "/predict", {"inputs": long}, lambda answer: [answer[0]["score"]]),
    ]:
        right = read(server.post(path, body).json())
        left = read(server.post(path, {**body, "truncation_direction": "Left"}).json())
        assert right != left, path
        assert server.post(path, body).headers["x-truncated"] == "1", path
        assert server.post(path, {**body, "truncate": False}).status_code == 422, path


def test_the_parameters_of_similarity(minilm):
    body = {"inputs": {"source_sentence": "two", "sentences": [LONG]}}
    plain = minilm.post("/similarity", body)
    assert plain.headers["x-truncated"] == "1"
    left = {**body, "parameters": {"truncation_direction": "left"}}
    assert minilm.post("/similarity", left).json() != plain.json()
    for parameters, part in [
        ({"truncate": False}, "inputs.sentences[0] has 402 tokens"),
        ({"truncation_direction": "up"}, "parameters.truncation_direction"),
        ({"prompt_name": "none"}, "prompt_name"),
        ({"top_k": 2}, "parameters.top_k: not supported here, expected truncate, "),
        (7, "parameters: expected an object"),
    ]:
        response = minilm.post("/similarity", {**body, "parameters": parameters})
        assert response.status_code == 422 and part in response.json()["error"], response.text
    for field, value in [
        ("truncate", False),
        ("truncation_direction", "left"),
        ("truncate_prompt_tokens", 3),
        ("prompt_name", "query"),
    ]:
        response = minilm.post("/similarity", {**body, field: value})
        assert response.status_code == 422, field
        assert f"{field}: not supported here, put it into parameters" in response.json()["error"]
    for harmless in ({"parameters": {}}, {"parameters": {"top_k": None}}, {"truncate": True}):
        assert minilm.post("/similarity", {**body, **harmless}).json() == plain.json()


@pytest.mark.parametrize(
    "path, body",
    [
        ("/", {"inputs": "x"}),
        ("/invocations", {"inputs": "x"}),
        ("/embed", {"inputs": "x"}),
        ("/embed", {"texts": ["x"]}),
        ("/embed_all", {"inputs": "x"}),
        ("/rerank", {"query": "x", "texts": ["y"]}),
        ("/rerank", {"query": "x", "documents": ["y"]}),
        ("/v1/rerank", {"query": "x", "documents": ["y"]}),
        ("/v1/embeddings", {"input": "x"}),
        ("/tokenize", {"inputs": "x"}),
        ("/decode", {"ids": [101]}),
    ],
)
def test_parameters_are_refused_where_nobody_reads_them(minilm, path, body):
    refused = minilm.post(path, {**body, "parameters": {"truncate": False}})
    assert refused.status_code == 422
    assert 'parameters: not supported here, put what is in it into the request' in refused.text
    for harmless in ({}, None):
        assert minilm.post(path, {**body, "parameters": harmless}).status_code == 200


@pytest.mark.parametrize("path, body", [("/predict", {"inputs": "x"}), ("/", {"query": "x", "texts": ["y"]})])
def test_parameters_of_a_classifier_too(tiny_reranker, path, body):
    refused = tiny_reranker.post(path, {**body, "parameters": {"top_k": 1}})
    assert refused.status_code == 422 and "parameters: not supported" in refused.json()["error"]
    assert tiny_reranker.post(path, {**body, "parameters": {}}).status_code == 200


@pytest.mark.parametrize(
    "path, body, extra",
    [
        ("/api/embed", {"input": [LONG]}, {"options": {"num_ctx": 102, "temperature": 1}}),
        ("/v1/embeddings", {"input": [LONG]}, {"truncate_prompt_tokens": 102}),
        ("/embed", {"texts": [LONG]}, {"truncate_prompt_tokens": 102}),
    ],
)
def test_texts_can_be_cut_before_what_the_model_takes(minilm, path, body, extra):
    wanted = vectors(minilm, "/embed", {"texts": [SHORT]})
    assert_close(vectors(minilm, path, {**body, **extra}), wanted)
    response = minilm.post(path, {**body, **extra, "truncate": False})
    assert response.status_code == 422 and "more than the 102" in response.text


@pytest.mark.parametrize(
    "path, body",
    [
        ("/v1/embeddings", {"input": [LONG]}),
        ("/embed", {"texts": [LONG]}),
        ("/v1/rerank", {"query": "x", "documents": [LONG]}),
    ],
)
def test_a_limit_of_minus_1_is_what_the_model_takes(minilm, path, body):
    plain = minilm.post(path, body).json()
    for all_of_it in (-1, -1.0, "-1"):
        answer = minilm.post(path, {**body, "truncate_prompt_tokens": all_of_it}).json()
        assert {**answer, "id": ""} == {**plain, "id": ""}
    for wrong in (-2, 0, "-2", -1.5):
        response = minilm.post(path, {**body, "truncate_prompt_tokens": wrong})
        assert response.status_code == 422
        assert "truncate_prompt_tokens: expected a positive integer, or -1" in response.text


def test_jina_s_words_for_openai_s(minilm):
    plain = vectors(minilm, "/v1/embeddings", {"input": ["x"]})
    raw = vectors(minilm, "/v1/embeddings", {"input": ["x"], "normalized": False})
    assert_close(raw / np.linalg.norm(raw), plain)
    assert np.linalg.norm(raw) != pytest.approx(1, abs=1e-3)
    binary = vectors(minilm, "/v1/embeddings", {"input": ["x"], "embedding_type": "ubinary"})
    assert (binary == np.packbits(plain > 0, axis=1)).all()
    body = {"input": ["x"], "embedding_type": "base64"}
    assert isinstance(minilm.post("/v1/embeddings", body).json()["data"][0]["embedding"], str)


@pytest.mark.parametrize(
    "path, body, wrong, harmless",
    [
        ("/v1/embeddings", {"input": "x"}, {"task": "retrieval.query"}, {"task": None}),
        ("/v1/embeddings", {"input": "x"}, {"input_type": "query"}, {"user": "somebody"}),
        ("/v1/embeddings", {"input": "x"}, {"late_chunking": True}, {"late_chunking": False}),
        ("/v1/embeddings", {"input": "x"}, {"add_special_tokens": False}, {"add_special_tokens": True}),
        ("/v1/embeddings", {"input": "x"}, {"embedding_type": ["float"]}, {}),
        ("/v1/rerank", {"query": "x", "documents": ["y"]}, {"max_tokens_per_doc": 10}, {"max_tokens_per_doc": 4096}),
        ("/v1/rerank", {"query": "x", "documents": ["y"]}, {"max_chunks_per_doc": 10}, {"max_chunks_per_doc": 1}),
        ("/v1/rerank", {"query": "x", "documents": ["y"]}, {"rank_fields": ["title"]}, {"rank_fields": ["text"]}),
        ("/v1/embeddings", {"input": "x"}, {"embed_dtype": "float16"}, {"embed_dtype": "float32"}),
        ("/v1/embeddings", {"input": "x"}, {"endianness": "big"}, {"endianness": "little"}),
        ("/v1/embeddings", {"input": "x"}, {"embd_normalize": -1}, {"embd_normalize": 2}),
        ("/v1/embeddings", {"input": "x"}, {"messages": [{}]}, {"messages": None}),
        ("/v1/embeddings", {"input": "x"}, {"modality": "image"}, {"modality": "text"}),
        ("/v1/embeddings", {"input": "x", "embedding_type": "int8"}, {"output_dtype": "float"}, {}),
        ("/v1/rerank", {"query": "x", "documents": ["y"]}, {"use_activation": False}, {"use_activation": True}),
        ("/v1/rerank", {"query": "x", "documents": ["y"]}, {"weights": [1, 1, 1]}, {"weights": None}),
        ("/rerank", {"query": "x", "documents": ["y"]}, {"texts": ["y"]}, {"texts": None}),
        ("/rerank", {"query": "x", "texts": ["y"]}, {"prompt_name": "none"}, {"prompt_name": None}),
        ("/embed", {"inputs": "x"}, {"texts": ["x"]}, {"texts": None}),
        ("/vertex", {"instances": [{"inputs": "x"}]}, {"model": "m"}, {"model": None}),
        ("/tokenize", {"inputs": "x"}, {"prompt_name": "none"}, {"prompt_name": None}),
        ("/api/embed", {"input": "x"}, {"options": {"num_ctx": -1}}, {"options": {}, "keep_alive": "5m"}),
        ("/api/embeddings", {"prompt": "x"}, {"options": 7}, {"options": None, "keep_alive": 0}),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(minilm, path, body, wrong, harmless):
    response = minilm.post(path, {**body, **wrong})
    assert response.status_code == 422
    assert next(iter(wrong)) in response.text
    assert minilm.post(path, {**body, **harmless}).status_code == 200


def test_a_cross_encoder_has_no_modes(tiny_reranker):
    body = {"query": "x", "documents": ["y"], "mode": "sparse"}
    response = tiny_reranker.post("/v1/rerank", body)
    assert response.status_code == 424 and "cross-encoder" in response.json()["message"]


def test_tei_embed_takes_smaller_vectors(minilm):
    plain = vectors(minilm, "/embed", {"inputs": ["x"]})
    small = vectors(minilm, "/embed", {"inputs": ["x"], "output_dtype": "ubinary"})
    assert (small == np.packbits(plain > 0, axis=1)).all()


def test_a_cosine_is_no_more_than_1(minilm, bge_m3_stub):
    texts = [f"text {i} of many words, {i * 7919}" for i in range(50)]
    for server in (minilm, bge_m3_stub):
        for text in texts:
            body = {"inputs": {"source_sentence": text, "sentences": [text]}}
            assert server.post("/similarity", body).json()[0] <= 1
            [entry] = server.post("/rerank", {"query": text, "texts": [text]}).json()
            assert entry["score"] <= 1


@pytest.mark.parametrize(
    "path, body",
    [
        ("/embed", {"texts": ["a"]}),
        ("/embed", {"inputs": ["a"]}),
        ("/embed_all", {"inputs": ["a"]}),
        ("/v1/embeddings", {"input": ["a"]}),
    ],
)
@pytest.mark.parametrize(
    "field, value, harmless",
    [
        ("prompt", "query: ", ""),
        ("instruction", "Represent", ""),
        ("task", "retrieval.query", None),
        ("input_type", "query", None),
        ("late_chunking", True, False),
        ("precision", "int8", "float32"),
        ("embedding_types", ["int8"], ["float"]),
        ("output_dimension", 64, None),
        ("return_multivector", True, False),
        ("truncation", False, True),
        ("normalize_embeddings", False, True),
        ("query", "which?", None),
    ],
)
def test_words_of_other_servers_are_refused_where_they_would_change_vectors(
    minilm, path, body, field, value, harmless
):
    response = minilm.post(path, {**body, field: value})
    assert response.status_code == 422, response.text
    assert f"{field}: not supported here" in response.text
    assert minilm.post(path, {**body, field: harmless}).status_code == 200


@pytest.mark.parametrize("field", ["return_sparse", "return_colbert_vecs"])
def test_inputs_have_no_other_outputs(tiny_bge_m3, field):
    response = tiny_bge_m3.post("/embed", {"inputs": "one", field: True})
    assert response.status_code == 422
    assert f"{field}: not supported here, send texts" in response.json()["error"]


@pytest.mark.parametrize(
    "field, value",
    [
        ("mode", "hybrid"),
        ("weights", [0, 1, 0]),
        ("top_n", 1),
        ("top_k", 1),
        ("return_documents", True),
        ("max_tokens_per_doc", 4),
        ("instruction", "Rank"),
    ],
)
def test_ranking_texts_refuses_what_ranking_documents_reads(tiny_bge_m3, field, value):
    body = {"query": "one", "texts": ["one two", "three"], field: value}
    response = tiny_bge_m3.post("/rerank", body)
    assert response.status_code == 422
    assert f"{field}: not supported here" in response.json()["error"]


def test_a_query_is_ranked_by_on_routes_of_all_kinds(tiny_bge_m3):
    body = {"query": "one", "texts": ["one two", "three"]}
    expected = tiny_bge_m3.post("/rerank", body).json()
    for path in ("/", "/invocations"):
        assert tiny_bge_m3.post(path, body).json() == expected
