"""The routes of other servers: the same vectors, in the shapes that their clients read."""

import base64
import json

import numpy as np
import pytest

from server import DATA, MINILM, Server
from test_vectors import assert_close, expected


@pytest.fixture(scope="module")
def rows():
    return expected("dense.all-MiniLM-L6-v2.json")[:5]


@pytest.fixture(scope="module")
def texts(rows):
    return [row["text"] for row in rows]


@pytest.fixture(scope="module")
def wanted(rows):
    return np.array([row["embedding"] for row in rows], dtype=np.float32)


def array(vectors):
    return np.array(vectors, dtype=np.float32)


def test_tei_embed(minilm, rows, texts, wanted):
    assert_close(array(minilm.post("/embed", {"inputs": texts}).json()), wanted)
    assert_close(array(minilm.post("/embed", {"inputs": texts[0]}).json()), wanted[:1])
    raw = minilm.post("/embed", {"inputs": texts, "normalize": False}).json()
    assert_close(array(raw), array([row["unnormalized"] for row in rows]))


def test_tei_tells_what_a_request_cost(minilm, texts):
    headers = minilm.post("/embed", {"inputs": texts}).headers
    parts = [int(headers[f"x-{name}-time"]) for name in ("tokenization", "queue", "inference")]
    assert sum(parts) <= int(headers["x-total-time"]) + 2  # each is rounded
    assert int(headers["x-compute-tokens"]) > len(texts)
    assert int(headers["x-compute-characters"]) == sum(map(len, texts))


def test_token_ids_are_taken_as_they_are(minilm, texts, wanted):
    tokens = minilm.post("/tokenize", {"inputs": texts}).json()
    ids = [[token["id"] for token in text] for text in tokens]
    assert_close(array(minilm.post("/embed", {"inputs": ids}).json()), wanted)
    data = minilm.post("/v1/embeddings", {"input": ids}).json()["data"]
    assert_close(array([item["embedding"] for item in data]), wanted)
    data = minilm.post("/v1/embeddings", {"input": ids[0]}).json()["data"]
    assert_close(array([item["embedding"] for item in data]), wanted[:1])
    response = minilm.post("/v1/embeddings", {"input": [1, 999999]})
    assert response.status_code == 422 and "999999" in response.json()["error"]["message"]


def test_tei_embed_all_gives_each_tokens_hidden_state(minilm, texts, wanted):
    answer = minilm.post("/embed_all", {"inputs": texts}).json()
    tokens = minilm.post("/tokenize", {"inputs": texts}).json()
    assert [len(vectors) for vectors in answer] == [len(text) for text in tokens]
    means = array([np.mean(vectors, axis=0) for vectors in answer])
    assert_close(means / np.linalg.norm(means, axis=1, keepdims=True), wanted)


def test_tei_embed_sparse(tiny_bge_m3):
    rows = expected("tiny-bge-m3.json")[:3]
    answer = tiny_bge_m3.post("/embed_sparse", {"inputs": [row["text"] for row in rows]}).json()
    for vector, row in zip(answer, rows, strict=True):
        assert [str(entry["index"]) for entry in vector] == list(row["lexical_weights"])
        values = [entry["value"] for entry in vector]
        assert values == pytest.approx(list(row["lexical_weights"].values()), abs=1e-4)


def test_splade_models_have_sparse_vectors():
    rows = expected("tiny-splade.json")
    with Server(DATA / "tiny-splade") as server:
        body = {"inputs": [row["text"] for row in rows]}
        answer = server.post("/embed_sparse", body).json()
        assert server.post("/", body).json() == server.post("/invocations", body).json() == answer
        assert server.get("/info").json()["model_type"] == {"embedding": {"pooling": "splade"}}
    for vector, row in zip(answer, rows, strict=True):
        assert [str(entry["index"]) for entry in vector] == list(row["weights"])
        values = [entry["value"] for entry in vector]
        assert values == pytest.approx(list(row["weights"].values()), abs=1e-4)


def test_tei_info(minilm, tiny_reranker):
    info = minilm.get("/info").json()
    assert info["model_id"] == "all-MiniLM-L6-v2"
    assert info["model_type"] == {"embedding": {"pooling": "mean"}}
    assert info["max_input_length"] == 256 and info["max_client_batch_size"] == 1000
    assert "reranker" in tiny_reranker.get("/info").json()["model_type"]


def test_tei_metrics_count_answers(minilm):
    def count(path, status):
        response = minilm.get("/metrics")
        assert response.headers["content-type"].startswith("text/plain")
        name = f'te_request_count{{path="{path}",status="{status}"}} '
        found = [line for line in response.text.splitlines() if line.startswith(name)]
        return int(found[0].removeprefix(name)) if found else 0

    before = count("/embed", 200), count("/embed", 422), count("", 404)
    minilm.post("/embed", {"texts": ["a"]})
    minilm.post("/embed", {"texts": 7})
    minilm.get("/no/such/path")
    assert (count("/embed", 200), count("/embed", 422), count("", 404)) == tuple(n + 1 for n in before)


def test_openai_floats_and_base64(minilm, texts, wanted):
    body = {"input": texts, "model": "text-embedding-3-small", "user": "somebody"}
    answer = minilm.post("/v1/embeddings", body).json()
    assert answer["object"] == "list" and answer["model"] == "all-MiniLM-L6-v2"
    assert [item["index"] for item in answer["data"]] == list(range(len(texts)))
    assert_close(array([item["embedding"] for item in answer["data"]]), wanted)
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] > len(texts)
    data = minilm.post("/v1/embeddings", {**body, "encoding_format": "base64"}).json()["data"]
    decoded = [np.frombuffer(base64.b64decode(item["embedding"]), "<f4") for item in data]
    assert_close(array(decoded), wanted)


def test_openai_models(minilm):
    [model] = minilm.get("/v1/models").json()["data"]
    assert minilm.get(f"/v1/models/{model['id']}").json() == model
    response = minilm.get("/v1/models/none")
    assert response.status_code == 404 and response.json()["error"]["param"] == "model"


def test_ollama(minilm, rows, texts, wanted):
    answer = minilm.post("/api/embed", {"model": "all-minilm", "input": texts}).json()
    assert_close(array(answer["embeddings"]), wanted)
    assert answer["total_duration"] > 0 and answer["prompt_eval_count"] > len(texts)
    answer = minilm.post("/api/embeddings", {"model": "all-minilm", "prompt": texts[0]}).json()
    assert_close(array([answer["embedding"]]), array([rows[0]["unnormalized"]]))
    assert minilm.get("/api/tags").json()["models"][0]["name"] == "all-MiniLM-L6-v2"
    assert "version" in minilm.get("/api/version").json()


@pytest.mark.parametrize("dtype", ["binary", "ubinary", "int8", "uint8"])
def test_smaller_vectors(minilm, texts, wanted, dtype):
    """As quantize_embeddings packs them; int8's range is that of the README."""
    size = wanted.shape[1]
    limit = min(1, 8 / np.sqrt(size))
    steps = np.clip((wanted + limit) / (2 * limit) * 255, 0, 255)
    reference = {
        "binary": (np.packbits(wanted > 0, axis=1).astype(np.int16) - 128),
        "ubinary": np.packbits(wanted > 0, axis=1),
        "int8": np.floor(steps) - 128,
        "uint8": np.floor(steps),
    }[dtype]
    for path, body, vectors_of in (
        ("/embed", {"texts": texts}, lambda answer: answer["embeddings"]),
        ("/api/embed", {"input": texts}, lambda answer: answer["embeddings"]),
        ("/v1/embeddings", {"input": texts}, lambda a: [d["embedding"] for d in a["data"]]),
    ):
        answer = minilm.post(path, {**body, "output_dtype": dtype}).json()
        difference = np.abs(array(vectors_of(answer)) - reference)
        if dtype.endswith("int8"):
            assert difference.max() <= 1 and difference.mean() < 0.01  # the vectors' own 1e-7
        else:
            assert difference.max() == 0
    data = minilm.post(
        "/v1/embeddings", {"input": texts, "output_dtype": dtype, "encoding_format": "base64"}
    ).json()["data"]
    unsigned = dtype.startswith("u")
    decoded = [
        np.frombuffer(base64.b64decode(item["embedding"]), np.uint8 if unsigned else np.int8)
        for item in data
    ]
    assert np.abs(array(decoded) - reference).max() <= (1 if dtype.endswith("int8") else 0)


def test_raw_bytes(minilm, texts, wanted):
    response = minilm.post(
        "/embed", {"texts": texts}, headers={"Accept": "application/octet-stream"}
    )
    assert response.headers["content-type"] == "application/octet-stream"
    rows, columns = map(int, response.headers["x-shape"].split(","))
    assert_close(np.frombuffer(response.content, "<f4").reshape(rows, columns), wanted)


ROUTES = {
    "/embed": {"texts": "x"},
    "/rerank": {"query": "x", "texts": ["y"]},
    "/v1/embeddings": {"input": "x"},
    "/v1/rerank": {"query": "x", "documents": ["y"]},
    "/api/embed": {"model": "m", "input": "x"},
}


def message_of(path, body):
    """The error's message, in the shape of the path's dialect and no other."""
    if path.startswith("/v1/embeddings"):
        assert set(body) == {"error"}
        assert set(body["error"]) == {"message", "type", "param", "code"}
        return body["error"]["message"]
    if path.startswith("/v1/rerank"):
        assert set(body) == {"message", "detail"}
        return body["message"]
    if path.startswith("/api/"):
        assert set(body) == {"error"}
        return body["error"]
    assert set(body) == {"error", "error_type", "detail"}
    return body["error"]


TEXTS_FIELD = {
    "/embed": "texts",
    "/rerank": "texts",
    "/v1/embeddings": "input",
    "/v1/rerank": "documents",
    "/api/embed": "input",
}


@pytest.mark.parametrize("path", ROUTES)
def test_errors_have_the_shape_of_the_dialect(minilm, path):
    field = TEXTS_FIELD[path]

    def expect(status, part, **request):
        response = minilm.post(path, **request)
        assert response.status_code == status, response.text
        assert part in message_of(path, response.json()), response.text

    assert minilm.post(path, ROUTES[path]).status_code == 200
    expect(400, "not valid JSON", data="{")
    expect(400, "empty", data="")
    expect(400, "not valid UTF-8", data=b'{"x":"\xff"}')
    if path != "/api/embed":  # where it loads a model
        expect(400, field, json={**ROUTES[path], field: []})
    expect(422, field, json={**ROUTES[path], field: 7})
    without = {key: value for key, value in ROUTES[path].items() if key != field}
    if path != "/api/embed":
        expect(422, f"{field}: missing", json=without)
    expect(422, "batch size 3000 > maximum", json={**ROUTES[path], field: ["x"] * 3000})
    long = ["x " * 600] if path == "/v1/rerank" else "x " * 600
    expect(422, "602 tokens", json={**ROUTES[path], field: long, "truncate": False})
    expect(413, "", data=b" " * 49_152_001)
    response = minilm.get(path)
    assert response.status_code == 405 and response.headers["allow"] == "POST, OPTIONS"
    assert "POST" in message_of(path, response.json())
    # As those servers do, fields that nobody knows are let be.
    assert minilm.post(path, {**ROUTES[path], "unknown": {"a": [1]}}).status_code == 200


def test_openai_names_the_parameter_at_fault(minilm):
    error = minilm.post("/v1/embeddings", {"input": "x", "dimensions": 9999}).json()["error"]
    assert error["param"] == "dimensions" and error["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/embed", "/v1/embeddings", "/api/embed"])
def test_vectors_of_a_reranker_are_a_424_in_every_dialect(tiny_reranker, path):
    response = tiny_reranker.post(path, ROUTES[path])
    assert response.status_code == 424
    assert "is a classifier" in message_of(path, response.json())


def test_more_texts_than_the_queue_takes_are_no_429_for_ever():
    with Server(MINILM, "--max-queue", "1") as server:
        for path, body in ROUTES.items():
            response = server.post(path, {**body, TEXTS_FIELD[path]: ["x", "y"]})
            assert response.status_code == 422, path
            assert "retry-after" not in response.headers
            assert "batch size 2 > maximum" in message_of(path, response.json())
        # The query is a text more.
        response = server.post("/rerank", ROUTES["/rerank"])
        assert response.status_code == 422
        assert "--max-queue" in response.json()["error"]
    with Server(MINILM, "--max-client-batch-size", 5000) as server:
        response = server.post("/embed", {"texts": ["x"] * 4500})
        assert response.status_code == 200, response.text


LONG_LISTS = {"/embed": 100, "/rerank": 1000, "/v1/embeddings": 2048, "/v1/rerank": 1000, "/api/embed": 2048}


@pytest.mark.parametrize("path", ROUTES)
def test_each_dialect_takes_what_its_clients_send(tiny_bge_m3, path):
    def send(texts):
        return tiny_bge_m3.post(path, {**ROUTES[path], TEXTS_FIELD[path]: ["x"] * texts})

    assert send(LONG_LISTS[path]).status_code == 200
    response = send(LONG_LISTS[path] + 1)
    assert response.status_code == 422
    assert f"> maximum allowed batch size {LONG_LISTS[path]}" in message_of(path, response.json())


def test_info_tells_the_limits(minilm):
    info = minilm.get("/info").json()
    assert info["max_client_batch_sizes"] == {
        "texts": 100, "inputs": 1000, "documents": 1000, "input": 2048
    }  # fmt: skip
    assert info["max_queue"] == 4096
    with Server(MINILM, "--max-client-batch-size", 7) as server:
        info = server.get("/info").json()
        assert info["max_client_batch_size"] == 7
        assert set(info["max_client_batch_sizes"].values()) == {7}


def test_long_texts_in_the_longest_form_of_json_are_taken(minilm):
    """Python's json writes a Russian letter as six bytes."""
    texts = ["\u0436" * 32_000] * 100
    body = json.dumps({"texts": texts})
    assert len(body) > 19_000_000
    response = minilm.post("/embed", data=body)
    assert response.status_code == 200 and len(response.json()["embeddings"]) == 100


def test_api_keys_are_asked_for_in_every_dialect():
    with Server(MINILM, "--api-key", "first", "--api-key", "second") as server:
        for path, body in ROUTES.items():
            for headers, part in [
                ({}, "wants an API key"),
                ({"X-API-Key": "firs"}, "not one of"),
                ({"Authorization": "Bearer third"}, "not one of"),
                ({"Authorization": "Basic first"}, "wants an API key"),
            ]:
                response = server.post(path, body, headers=headers)
                assert response.status_code == 401, path
                assert response.headers["www-authenticate"] == "Bearer"
                assert part in message_of(path, response.json())
            for headers in [
                {"X-API-Key": "first"},
                {"Authorization": "Bearer second"},
                {"Authorization": "bearer first"},
            ]:
                assert server.post(path, body, headers=headers).status_code == 200, path
        for path in ["/health", "/readyz", "/livez", "/ping", "/docs", "/openapi.json"]:
            assert server.get(path).status_code == 200, path
        for path in ["/info", "/v1/models", "/api/tags"]:
            assert server.get(path).status_code == 401, path


@pytest.mark.parametrize("path", ["/nowhere", "/v1/embeddings/x", "/v1/rerank/x", "/api/x"])
def test_an_unknown_path_is_a_404_in_every_dialect(minilm, path):
    response = minilm.post(path, {})
    assert response.status_code == 404
    assert path in message_of(path, response.json())
