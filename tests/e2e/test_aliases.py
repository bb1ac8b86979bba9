"""Paths under which other servers have the same, and what they do alike."""

import pytest
import requests

from server import DATA, TINY_BGE_M3, TINY_RERANKER, Server, environment
from test_vectors import assert_close

import numpy as np

DOCUMENTS = {"query": "x", "documents": ["y", {"text": "z"}]}


def without(answer, *fields):
    return {key: value for key, value in answer.items() if key not in fields}


def test_the_bare_address_is_answered_as_health(minilm):
    assert minilm.get("/").json() == minilm.get("/health").json()
    response = requests.head(minilm.url + "/", timeout=30)
    assert response.status_code == 200 and response.content == b""


@pytest.mark.parametrize(
    "path, alias, body",
    [
        ("/v1/embeddings", "/embeddings", {"input": ["x", "y"]}),
        ("/v1/embeddings", "/v1/embeddings/", {"input": ["x", "y"]}),
        ("/", "/invocations", {"inputs": ["x", "y"]}),
        ("/embed", "/embed/", {"texts": ["x"]}),
        ("/v1/rerank", "/reranking", DOCUMENTS),
        ("/v1/rerank", "/v1/reranking", DOCUMENTS),
        ("/v1/rerank", "/rerank", DOCUMENTS),
        ("/v1/rerank", "/v2/rerank/", DOCUMENTS),
    ],
)
def test_an_alias_does_the_same(minilm, path, alias, body):
    answers = [minilm.post(p, body) for p in (path, alias)]
    assert [answer.status_code for answer in answers] == [200, 200]
    first, second = (answer.json() for answer in answers)
    if "id" in first:
        first, second = without(first, "id"), without(second, "id")
    assert first == second
    wrong = {**body, "truncate": "perhaps"}
    first, second = (minilm.post(p, wrong) for p in (path, alias))
    assert first.status_code == second.status_code == 422
    assert first.json() == second.json()


def test_tei_s_rerank_is_what_it_was(minilm):
    answer = minilm.post("/rerank", {"query": "x", "texts": ["y", "x"]}).json()
    assert [entry["index"] for entry in answer] == [1, 0]


@pytest.mark.parametrize("path", ["/health/", "/v1/models/", "/v1/models/all-MiniLM-L6-v2/"])
def test_a_slash_at_the_end_does_not_count(minilm, path):
    assert minilm.get(path).json() == minilm.get(path.rstrip("/")).json()
    assert minilm.get(path + "/").status_code == 404


def test_vertex_takes_requests_together(minilm):
    instances = [{"inputs": "x"}, {"inputs": ["y", "z"], "normalize": False}]
    response = minilm.post("/vertex", {"instances": instances})
    predictions = response.json()["predictions"]
    assert [len(prediction) for prediction in predictions] == [1, 2]
    for prediction, instance in zip(predictions, instances, strict=True):
        assert_close(np.array(prediction), np.array(minilm.post("/", instance).json()))
    long = {"instances": [{"inputs": "word " * 300}, {"inputs": ["word " * 300, "short"]}]}
    assert minilm.post("/vertex", long).headers["x-truncated"] == "2"


def test_vertex_ranks_what_has_a_query(tiny_reranker):
    ranking = {"query": "x", "texts": ["y", "z"]}
    response = tiny_reranker.post("/vertex", {"instances": [ranking, ranking]})
    assert response.json() == {"predictions": [tiny_reranker.post("/rerank", ranking).json()] * 2}


@pytest.mark.parametrize(
    "body, status, part",
    [
        ({}, 422, "instances: missing"),
        ({"instances": []}, 400, "instances"),
        ({"instances": ["x"]}, 422, "instances[0]: expected an object"),
        ({"instances": [{"inputs": "x"}, {"inputs": 3}]}, 422, "instances[1].inputs: expected"),
        ({"instances": [{"inputs": "x"}, {"inputs": ["x", 3]}]}, 422, "instances[1].inputs[1]: expected"),
        ({"instances": [{"inputs": "x"}, {"inputs": [[1], [99999]]}]}, 422, "instances[1].inputs[1] has the token"),
        ({"instances": [{"inputs": ["x", "y " * 300], "truncate": False}]}, 422, "instances[0].inputs[1] has 302 tokens"),
        ({"instances": [{"inputs": "x", "dimensions": 385}]}, 422, "instances[0].dimensions is 385"),
        ({"instances": [{"inputs": "x", "prompt_name": "y"}]}, 422, "instances[0].prompt_name: "),
        ({"instances": [{"inputs": "x", "texts": "y"}]}, 422, "instances[0].inputs: stands beside"),
        ({"instances": [{"texts": "x", "return_sparse": True}]}, 424, "instances[0]: model all-MiniLM"),
        ({"instances": [{"query": "x", "texts": ["y", 3]}]}, 422, "instances[0].texts[1]: expected"),
        ({"instances": [{"query": "x " * 300, "texts": ["y"], "truncate": False}]}, 422, "instances[0].query has 302"),
        ({"instances": [{"inputs": "x", "parameters": {"a": 1}}]}, 422, "instances[0].parameters: not supported"),
        ({"instances": [{"inputs": "x"}], "parameters": {"a": 1}}, 422, "parameters: not supported"),
        ({"instances": [{"inputs": ["x"] * 600}] * 2}, 422, "batch size 1200 >"),
        ({"instances": [{"inputs": "x"}] * 1001}, 422, "batch size 1001 >"),
    ],
)
def test_vertex_says_which_instance_is_wrong(minilm, body, status, part):
    response = minilm.post("/vertex", body)
    assert response.status_code == status and part in response.json()["error"]


@pytest.mark.parametrize(
    "inputs, part",
    [
        (["a", 3], "inputs[1]: expected a string, got number"),
        ([["a", "b"], ["c", 3]], "inputs[1][1]: expected a string, got number"),
        ([["a", "b"], [3, "c"]], "inputs[1][0]: expected a string, got number"),
        ([["a", "b"], ["c", "d", "e"]], "inputs[1]: expected a text, or an array of one text or of two"),
        ([["a", "b"], 3], "inputs[1]: expected a text, or an array"),
    ],
)
def test_predict_says_which_text_of_a_pair_is_wrong(tiny_reranker, inputs, part):
    response = tiny_reranker.post("/predict", {"inputs": inputs})
    assert response.status_code == 422 and part in response.json()["error"], response.text


def test_pairs_of_an_instance_are_named_by_both():
    pairs = [{"inputs": [["a", "b"]]}, {"inputs": [["a", "b"], ["c", "\ud83d"]]}]
    long = [{"inputs": [["a", "b"], ["c", "d " * 600]], "truncate": False}]
    with Server(DATA / "tiny-classifier") as server:
        response = server.post("/vertex", {"instances": pairs})
        assert response.status_code == 400
        assert response.json()["error"].startswith("instances[1].inputs[1][1]: contains")
        response = server.post("/vertex", {"instances": long})
        assert response.status_code == 422
        assert response.json()["error"].startswith("instances[0].inputs[1] has 604 tokens")


@pytest.mark.parametrize("form", ["option", "option with a value", "variable", "file"])
def test_a_model_that_is_not_here_is_refused_if_names_are_strict(form, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("strict-model = true\n")
    arguments = {"option": ["--strict-model"], "option with a value": ["--strict-model=true"],
                 "variable": [], "file": ["--config", file]}[form]
    variables = {"EMBEDDING_SERVICE_STRICT_MODEL": "true"} if form == "variable" else {}
    with Server(
        TINY_BGE_M3, *arguments, "--model", TINY_RERANKER, env=environment(**variables)
    ) as server:
        for path, body, message in [
            ("/embed", {"texts": ["x"]}, lambda b: b["error"]),
            ("/embed", {"inputs": ["x"]}, lambda b: b["error"]),
            ("/rerank", {"query": "x", "texts": ["x"]}, lambda b: b["error"]),
            ("/tokenize", {"inputs": ["x"]}, lambda b: b["error"]),
            ("/v1/embeddings", {"input": ["x"]}, lambda b: b["error"]["message"]),
            ("/v1/rerank", {"query": "x", "documents": ["x"]}, lambda b: b["message"]),
            ("/api/embed", {"input": ["x"]}, lambda b: b["error"]),
            ("/api/show", {}, lambda b: b["error"]),
        ]:
            response = server.post(path, {**body, "model": "text-embedding-3-small"})
            assert response.status_code == 404, path
            assert "text-embedding-3-small" in message(response.json())
            if path != "/api/show":
                assert server.post(path, body).status_code == 200, path
        error = server.post("/v1/embeddings", {"input": "x", "model": "y"}).json()["error"]
        assert error["code"] == "model_not_found" and error["param"] == "model"
        assert server.get("/v1/models/y").json()["error"]["code"] == "model_not_found"
        for name in ("tiny-bge-m3", "tiny-bge-m3:latest"):
            answer = server.post("/v1/embeddings", {"input": "x", "model": name}).json()
            assert answer["model"] == "tiny-bge-m3"
        # The reranker, though embeddings are what the route is for.
        response = server.post("/embed", {"inputs": "x", "model": "tiny-reranker"})
        assert response.status_code == 424


def test_the_answer_names_the_model_that_answered(tiny_bge_m3):
    for path, body in [
        ("/embed", {"texts": ["x"]}),
        ("/v1/embeddings", {"input": ["x"]}),
        ("/v1/rerank", {"query": "x", "documents": ["x"]}),
        ("/api/embed", {"input": ["x"]}),
        ("/api/embed", {"input": []}),
    ]:
        answer = tiny_bge_m3.post(path, {**body, "model": "another"}).json()
        assert answer["model"] == "tiny-bge-m3", path


def test_token_ids_of_an_instance_are_one_text(minilm):
    ids = list(range(1000, 1600))
    answer = minilm.post("/vertex", {"instances": [{"inputs": ids}, {"inputs": ids}]})
    assert answer.status_code == 200
    assert len(answer.json()["predictions"]) == 2


def test_the_root_is_for_the_model_that_is_named(both):
    body = {"query": "x", "texts": ["y", "z"], "model": TINY_RERANKER.name}
    assert both.post("/invocations", body).json() == both.post("/rerank", body).json()


def test_a_default_prompt_is_not_for_rerankers(tmp_path):
    with Server(TINY_BGE_M3, "--model", TINY_RERANKER, "--default-prompt-name", "query") as server:
        body = {"query": "x", "texts": ["y"], "model": TINY_RERANKER.name}
        assert server.post("/rerank", body).status_code == 200
        assert server.post("/embed", {"inputs": [[0, 5, 2]]}).status_code == 200
        refused = server.post("/embed", {"inputs": [[0, 5, 2]], "prompt_name": "query"})
        assert refused.status_code == 422 and "token ids" in refused.json()["error"]
