"""The official openai package of PyPI."""

import asyncio
import base64

import numpy as np
import openai
import pytest

from server import MINILM, Server

NAME = "text-embedding-3-small"


@pytest.fixture(scope="module")
def client(minilm):
    with openai.OpenAI(base_url=minilm.url + "/v1", api_key="none", max_retries=0) as client:
        yield client


def vectors_of(answer):
    assert [item.index for item in answer.data] == list(range(len(answer.data)))
    return [item.embedding for item in answer.data]


def test_floats_and_base64(client, texts, same):
    """Without encoding_format the package asks for base64 and gives floats."""
    answer = client.embeddings.create(model=NAME, input=texts)
    same(vectors_of(answer))
    assert answer.model == "all-MiniLM-L6-v2"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens > len(texts)
    same(vectors_of(client.embeddings.create(model=NAME, input=texts, encoding_format="float")))
    answer = client.embeddings.create(model=NAME, input=texts, encoding_format="base64")
    same([np.frombuffer(base64.b64decode(text), "<f4") for text in vectors_of(answer)])


def test_one_text_and_token_ids(client, texts, ids, same):
    for given in (texts[0], ids[0], ids):
        same(vectors_of(client.embeddings.create(model=NAME, input=given)))


def test_dimensions(client, texts, rows, same):
    answer = client.embeddings.create(model=NAME, input=texts, dimensions=100)
    cut = np.array([row["embedding"][:100] for row in rows], dtype=np.float32)
    same(vectors_of(answer), cut / np.linalg.norm(cut, axis=1, keepdims=True))


def test_many_at_once(minilm, texts, same):
    async def ask():
        url = minilm.url + "/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
            calls = [client.embeddings.create(model=NAME, input=text) for text in texts]
            return await asyncio.gather(*calls)

    same([vectors_of(answer)[0] for answer in asyncio.run(ask())])


def test_a_wrong_key_is_an_authentication_error():
    with Server(MINILM, "--api-key", "right") as server:
        url = server.url + "/v1"
        with openai.OpenAI(base_url=url, api_key="right", max_retries=0) as client:
            assert client.embeddings.create(model=NAME, input="x").data
        with openai.OpenAI(base_url=url, api_key="wrong", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError, match="not one of") as raised:
                client.embeddings.create(model=NAME, input="x")
            assert raised.value.status_code == 401
            assert raised.value.code == "invalid_api_key"


def test_models(client):
    [model] = client.models.list()
    assert model.id == "all-MiniLM-L6-v2" and model.object == "model"
    assert client.models.retrieve(model.id) == model


ERRORS = [
    ({"input": []}, openai.BadRequestError, 400, "input", "input: expected at least one text"),
    ({"input": 7}, openai.UnprocessableEntityError, 422, "input", "input: expected"),
    ({"input": ["a", 1]}, openai.UnprocessableEntityError, 422, "input[1]", "expected a string"),
    ({"input": ["a"] * 2049}, openai.UnprocessableEntityError, 422, "input", "batch size 2049"),
    ({"input": "a", "dimensions": 9999}, openai.UnprocessableEntityError, 422, "dimensions", "384"),
    ({"input": [1, 999999]}, openai.UnprocessableEntityError, 422, None, "999999"),
]


@pytest.mark.parametrize("arguments, kind, status, param, message", ERRORS)
def test_errors_are_its_own(client, arguments, kind, status, param, message):
    with pytest.raises(kind) as caught:
        client.embeddings.create(model=NAME, **arguments)
    error = caught.value
    assert error.status_code == status and message in error.message
    assert error.type == "invalid_request_error" and error.code is None
    assert param is None or error.param == param
    assert error.request_id


def test_what_is_not_here_is_not_found(client):
    with pytest.raises(openai.NotFoundError, match="no such model") as caught:
        client.models.retrieve("none")
    assert caught.value.status_code == 404 and caught.value.param == "model"
    with pytest.raises(openai.NotFoundError, match="/v1/chat/completions") as caught:
        client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "x"}])
    assert caught.value.status_code == 404


def test_a_reranker_gives_no_vectors(tiny_reranker):
    with openai.OpenAI(base_url=tiny_reranker.url + "/v1", api_key="none", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError, match="classifier") as caught:
            client.embeddings.create(model=NAME, input="x")
    assert caught.value.status_code == 424
