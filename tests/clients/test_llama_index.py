"""llama-index: embeddings for OpenAI, its likes and text-embeddings-inference; reranking."""

import asyncio

import openai
import pytest
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference
from llama_index.postprocessor.tei_rerank import TextEmbeddingInference


def openai_embedding(server, **options):
    url = server.url + "/v1"
    name = "text-embedding-3-small"
    return OpenAIEmbedding(model=name, api_base=url, api_key="none", max_retries=0, **options)


def openai_like(server):
    url = server.url + "/v1"
    return OpenAILikeEmbedding(model_name="all-MiniLM-L6-v2", api_base=url, api_key="none")


def tei(server):
    return TextEmbeddingsInference(model_name="all-MiniLM-L6-v2", base_url=server.url)


@pytest.mark.parametrize("embedding", [openai_embedding, openai_like, tei])
def test_vectors(minilm, texts, same, embedding):
    client = embedding(minilm)
    same(client.get_text_embedding_batch(texts))
    same([client.get_query_embedding(texts[0])])
    same(asyncio.run(client.aget_text_embedding_batch(texts)))


def test_reranking(tiny_bge_m3, ranking, same_ranking):
    query, documents, _ = ranking
    nodes = [
        NodeWithScore(node=TextNode(text=text, id_=str(index)))
        for index, text in enumerate(documents)
    ]
    client = TextEmbeddingInference(base_url=tiny_bge_m3.url, top_n=3)
    best = client.postprocess_nodes(nodes, query_bundle=QueryBundle(query))
    same_ranking([(int(node.node_id), node.score) for node in best])


def test_a_wrong_request_is_openais_error(minilm):
    with pytest.raises(openai.UnprocessableEntityError, match="dimensions") as caught:
        openai_embedding(minilm, dimensions=9999).get_text_embedding("x")
    assert caught.value.status_code == 422
