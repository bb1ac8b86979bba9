"""langchain's embeddings for OpenAI and, through huggingface_hub, for text-embeddings-inference."""

import asyncio

import openai
import pytest
from huggingface_hub.errors import HfHubHTTPError
from langchain_huggingface import HuggingFaceEndpointEmbeddings
from langchain_openai import OpenAIEmbeddings


def openai_embeddings(server, **options):
    """As for every server that is not OpenAI's: not with the token ids of OpenAI's models."""
    return OpenAIEmbeddings(
        base_url=server.url + "/v1",
        api_key="none",
        model="all-MiniLM-L6-v2",
        check_embedding_ctx_length=False,
        max_retries=0,
        **options,
    )


def tei_embeddings(server, **options):
    return HuggingFaceEndpointEmbeddings(model=server.url, model_kwargs=options)


@pytest.mark.parametrize("embeddings", [openai_embeddings, tei_embeddings])
def test_vectors(minilm, texts, same, embeddings):
    client = embeddings(minilm)
    same(client.embed_documents(texts))
    same([client.embed_query(texts[0])])
    same(asyncio.run(client.aembed_documents(texts)))


def test_many_texts_go_in_several_requests(minilm, texts, same):
    client = openai_embeddings(minilm, chunk_size=100)
    vectors = client.embed_documents(texts * 6)
    for start in range(0, len(vectors), len(texts)):
        same(vectors[start : start + len(texts)])


def test_a_wrong_request_is_openais_error(minilm):
    with pytest.raises(openai.UnprocessableEntityError, match="dimensions") as caught:
        openai_embeddings(minilm, dimensions=9999).embed_query("x")
    assert caught.value.status_code == 422


def test_a_wrong_request_is_huggingface_hubs_error(minilm):
    with pytest.raises(HfHubHTTPError, match="prompt_name") as caught:
        tei_embeddings(minilm, prompt_name="none").embed_query("x")
    assert caught.value.response.status_code == 422
