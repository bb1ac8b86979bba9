"""ollama's client."""

import asyncio

import numpy as np
import ollama
import pytest

NAME = "all-minilm"


@pytest.fixture(scope="module")
def client(minilm):
    return ollama.Client(host=minilm.url)


def test_vectors(client, texts, same):
    answer = client.embed(model=NAME, input=texts)
    same(answer.embeddings)
    assert answer.total_duration > 0 and answer.prompt_eval_count > len(texts)
    same(client.embed(model=NAME, input=texts[0]).embeddings)


def test_many_at_once(minilm, texts, same):
    async def ask():
        client = ollama.AsyncClient(host=minilm.url)
        return await asyncio.gather(*[client.embed(model=NAME, input=text) for text in texts])

    same([answer.embeddings[0] for answer in asyncio.run(ask())])


def test_the_older_form_does_not_normalize(client, rows, same):
    vectors = [client.embeddings(model=NAME, prompt=row["text"]).embedding for row in rows[:5]]
    same(vectors, np.array([row["unnormalized"] for row in rows], dtype=np.float32))


def test_models(client):
    assert [model.model for model in client.list().models] == ["all-MiniLM-L6-v2"]


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        ({"input": ["x"] * 2049}, 422, "batch size 2049 > maximum"),
        ({"input": "x", "dimensions": 9999}, 422, "dimensions"),
        ({"input": "x" * 9 + " x" * 9999, "truncate": False}, 422, "256"),
    ],
)
def test_errors_are_its_own(client, arguments, status, message):
    with pytest.raises(ollama.ResponseError) as caught:
        client.embed(model=NAME, **arguments)
    assert caught.value.status_code == status and message in caught.value.error


def test_what_is_here_can_be_shown_and_pulled(client):
    shown = client.show("all-MiniLM-L6-v2")
    assert shown.details.family == "bert" and shown.capabilities == ["embedding"]
    assert [model.model for model in client.ps().models] == ["all-MiniLM-L6-v2"]
    assert client.pull("all-MiniLM-L6-v2:latest").status == "success"
    assert [part.status for part in client.pull("all-MiniLM-L6-v2", stream=True)] == ["success"]
    assert client.embed(model="all-MiniLM-L6-v2", input=[]).embeddings == []
    with pytest.raises(ollama.ResponseError, match="--model nomic-embed-text"):
        client.pull("nomic-embed-text")


def test_what_is_not_here_is_not_found(client):
    with pytest.raises(ollama.ResponseError, match="/api/generate") as caught:
        client.generate(model=NAME, prompt="x")
    assert caught.value.status_code == 404
