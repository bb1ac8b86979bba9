"""What Ollama's clients ask besides embeddings."""

import re
import shutil

import pytest

from server import MINILM, TINY_BGE_M3, Server

NAME = "all-MiniLM-L6-v2"


@pytest.mark.parametrize("body", [{}, {"input": ""}, {"input": []}, {"input": None}])
def test_a_model_is_loaded_by_asking_for_nothing(minilm, body):
    response = minilm.post("/api/embed", {"model": NAME, **body})
    assert response.status_code == 200
    assert response.json()["embeddings"] == [] and response.json()["model"] == NAME


@pytest.mark.parametrize("body", [{}, {"prompt": ""}])
def test_the_older_form_too(minilm, body):
    response = minilm.post("/api/embeddings", {"model": NAME, **body})
    assert response.status_code == 200 and response.json() == {"embedding": []}


def test_an_empty_text_in_a_list_is_a_text(minilm):
    assert len(minilm.post("/api/embed", {"input": [""]}).json()["embeddings"]) == 1


def test_models_are_told_as_they_are(minilm, tiny_bge_m3):
    [model] = minilm.get("/api/tags").json()["models"]
    assert model["name"] == model["model"] == NAME
    weights = (MINILM / "model.safetensors").stat().st_size
    assert abs(model["size"] - weights) < 0.01 * weights
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", model["modified_at"])
    details = model["details"]
    assert details["family"] == "bert" and details["families"] == ["bert"]
    assert details["parameter_size"] == "22.71M" and details["quantization_level"] == "f32"
    [model] = tiny_bge_m3.get("/api/tags").json()["models"]
    assert model["details"]["family"] == "xlm-roberta"
    [running] = tiny_bge_m3.get("/api/ps").json()["models"]
    assert running["name"] == TINY_BGE_M3.name and running["size"] == model["size"]
    assert running["expires_at"]


@pytest.mark.parametrize("field", ["model", "name"])
@pytest.mark.parametrize("name", [NAME, NAME + ":latest"])
def test_show(minilm, field, name):
    answer = minilm.post("/api/show", {field: name}).json()
    assert answer["details"]["family"] == "bert"
    assert answer["model_info"]["general.architecture"] == "bert"
    assert answer["model_info"]["bert.context_length"] == 256
    assert answer["model_info"]["bert.embedding_length"] == 384
    assert answer["model_info"]["general.parameter_count"] == 22713216
    assert answer["capabilities"] == ["embedding"]
    assert minilm.post("/api/show", {}).status_code == 422


def test_show_tells_of_no_other_model(minilm, both):
    for server in (minilm, both):
        response = server.post("/api/show", {"model": "nomic-embed-text"})
        assert response.status_code == 404
        assert response.json()["error"].startswith("model 'nomic-embed-text' not found")
        assert "/api/tags" in response.json()["error"]


@pytest.mark.parametrize("path", ["/api/show", "/api/pull"])
@pytest.mark.parametrize("field", ["model", "name"])
def test_an_empty_name_is_named(minilm, path, field):
    response = minilm.post(path, {field: ""})
    assert response.status_code == 422
    assert response.json()["error"].startswith(f'{field}: expected a model\'s name, got ""')


def digest(directory):
    with Server(directory) as server:
        [model] = server.get("/api/tags").json()["models"]
        [running] = server.get("/api/ps").json()["models"]
        assert model["digest"] == running["digest"]
        assert re.fullmatch("[0-9a-f]{64}", model["digest"])
        return model["digest"]


def test_a_model_has_a_digest_of_its_own(tmp_path):
    first = digest(TINY_BGE_M3)
    copy = tmp_path / "copy"
    shutil.copytree(TINY_BGE_M3, copy)
    assert digest(copy) == first, "of what is in the files"
    (copy / "README.md").write_text("x")
    assert digest(copy) == first
    pooling = copy / "1_Pooling" / "config.json"
    pooling.write_text(pooling.read_text() + " ")
    other = digest(copy)
    assert other != first
    weights = copy / "pytorch_model.bin"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert digest(copy) not in (first, other)


def test_pull(minilm):
    response = minilm.post("/api/pull", {"model": NAME + ":latest"})
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.text == '{"status":"success"}\n'
    response = minilm.post("/api/pull", {"name": NAME, "stream": False})
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"status": "success"}
    response = minilm.post("/api/pull", {"model": "nomic-embed-text"})
    assert response.status_code == 404
    assert response.json()["error"].startswith("model 'nomic-embed-text' not found")
    assert "--model nomic-embed-text" in response.json()["error"]
