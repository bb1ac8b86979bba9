"""A sparse encoder whose queries are weighed by a table, and whose documents by a network."""

import json
import shutil
import struct

import pytest
from server import DATA, Server, run

FAMILIES = DATA / "families"
ROUTER = FAMILIES / "sparse_static_router"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    directory = tmp_path_factory.mktemp("models") / "router"
    references = json.loads((ROUTER / "references.json").read_text())
    for part in (FAMILIES / references["base"], ROUTER):
        shutil.copytree(part, directory, dirs_exist_ok=True)
    for folder in references["tokenizer_folders"]:
        shutil.copy(FAMILIES / "tokenizers" / references["tokenizer"] / "tokenizer.json", directory / folder)
    return directory


@pytest.fixture(scope="module")
def server(model):
    with Server(model) as running:
        yield running


def f32(number):
    return struct.unpack("f", struct.pack("f", number))[0]


def weights(prompt):
    """What sentence-transformers gives for the first texts, as the wire has it."""
    series = json.loads((ROUTER / "references.json").read_text())["series"]
    [rows] = [one["rows"][:12] for one in series if one.get("prompt_name") == prompt]
    return [{int(key): value for key, value in row["weights"].items()} for row in rows]


TEXTS = json.loads((FAMILIES / "texts.json").read_text())["texts"][:12]


def test_a_table_s_weights_are_its_numbers(server):
    answer = server.post("/embed_sparse", {"inputs": TEXTS, "prompt_name": "query"}).json()
    for vector, wanted in zip(answer, weights("query"), strict=True):
        given = {entry["index"]: f32(entry["value"]) for entry in vector}
        assert given == {key: f32(value) for key, value in wanted.items()}


@pytest.mark.parametrize("prompt", ["query", "document", None])
def test_a_text_is_weighed_by_the_route_of_its_prompt(server, prompt):
    body = {"inputs": TEXTS} | ({"prompt_name": prompt} if prompt else {})
    answer = server.post("/embed_sparse", body).json()
    for vector, wanted in zip(answer, weights(prompt), strict=True):
        assert {entry["index"]: entry["value"] for entry in vector} == pytest.approx(wanted, abs=1e-4)


def test_dense_vectors_are_refused_where_a_table_has_none(server):
    answer = server.post("/embed", {"texts": ["a"], "prompt_name": "query"})
    assert 400 <= answer.status_code < 500
    assert "has no dense vectors for these texts" in answer.text
    sparse = {"texts": TEXTS, "prompt_name": "query", "return_dense": False, "return_sparse": True}
    assert len(server.post("/embed", sparse).json()["lexical_weights"]) == len(TEXTS)
    assert server.post("/embed", {"texts": ["a"], "prompt_name": "document"}).status_code == 200


def test_reranking_multiplies_a_table_s_weights_with_the_network_s(server):
    body = {"query": TEXTS[4], "documents": TEXTS[1:10], "mode": "sparse"}
    answer = server.post("/rerank", body)
    assert answer.status_code == 200, answer.text
    query = weights("query")[4]
    for entry in answer.json()["results"]:
        document = weights("document")[1 + entry["index"]]
        wanted = sum(weight * document.get(key, 0) for key, weight in query.items())
        assert entry["relevance_score"] == pytest.approx(wanted, abs=1e-3)


def test_a_default_route_without_dense_vectors_leaves_the_other_its_own(model, server, tmp_path):
    directory = tmp_path / "model"
    shutil.copytree(model, directory)
    router = json.loads((directory / "router_config.json").read_text())
    router["parameters"]["default_route"] = "query"
    (directory / "router_config.json").write_text(json.dumps(router))
    body = {"query": TEXTS[4], "documents": TEXTS[5:8], "prompt_name": "document"}
    with Server(directory) as other:
        assert other.get("/info").json()["models"][0]["dimension"] == 24
        given = other.post("/rerank", body).json()["results"]
        assert given == server.post("/rerank", body).json()["results"] and given[0]["relevance_score"] > 1
        refused = other.post("/rerank", {**body, "prompt_name": "query"})
        assert 400 <= refused.status_code < 500 and "has no dense vectors for these texts" in refused.text
    assert run("selftest", "--model", directory).returncode == 0


@pytest.mark.parametrize("way", ["router", "table"])
def test_selftest_and_bench(model, tmp_path, way):
    directory = model
    if way == "table":
        directory = tmp_path / "table"
        shutil.copytree(FAMILIES / "sparse_static", directory)
        shutil.copy(FAMILIES / "tokenizers/xlm_roberta/tokenizer.json", directory)
    for command in (["selftest"], ["bench", "--seconds", "0"]):
        result = run(*command, "--model", directory)
        assert result.returncode == 0, result.stdout + result.stderr
