"""cohere's client, of both versions of its API."""

import cohere
import pytest
from cohere.core.api_error import ApiError

from test_vectors import expected

CLIENTS = [cohere.Client, cohere.ClientV2]
NAME = "rerank-v3.5"


def pairs(answer):
    return [(result.index, result.relevance_score) for result in answer.results]


@pytest.mark.parametrize("kind", CLIENTS)
def test_an_embedding_model_ranks(tiny_bge_m3, ranking, same_ranking, kind):
    query, documents, scores = ranking
    client = kind(api_key="none", base_url=tiny_bge_m3.url)
    answer = client.rerank(model=NAME, query=query, documents=documents)
    assert len(answer.results) == len(scores) > 2 and answer.id
    same_ranking(pairs(answer))
    answer = client.rerank(model=NAME, query=query, documents=documents, top_n=2)
    assert len(answer.results) == 2
    same_ranking(pairs(answer))


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_cross_encoder_gives_the_originals_scores(tiny_reranker, kind):
    client = kind(api_key="none", base_url=tiny_reranker.url)
    for row in expected("tiny-reranker.json")[:5]:
        answer = client.rerank(model=NAME, query=row["query"], documents=[row["passage"]])
        assert pairs(answer) == [(0, pytest.approx(row["score"], abs=1e-4))]


def test_documents_come_back(tiny_reranker):
    """The first version's: documents as objects, and with the answer."""
    client = cohere.Client(api_key="none", base_url=tiny_reranker.url)
    documents = ["one", {"text": "two"}]
    answer = client.rerank(query="x", documents=documents, return_documents=True)
    assert {(result.index, result.document.text) for result in answer.results} == {
        (0, "one"),
        (1, "two"),
    }


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize(
    "arguments, error, status, message",
    [
        ({"documents": []}, cohere.BadRequestError, 400, "documents"),
        ({"documents": [7]}, cohere.UnprocessableEntityError, 422, "documents[0]"),
        ({"documents": ["x"] * 1001}, cohere.UnprocessableEntityError, 422, "batch size 1001 >"),
        ({"documents": ["x"], "top_n": 0}, cohere.UnprocessableEntityError, 422, "top_n"),
    ],
)
def test_errors_are_its_own(tiny_reranker, kind, arguments, error, status, message):
    client = kind(api_key="none", base_url=tiny_reranker.url)
    with pytest.raises(error) as caught:
        client.rerank(model=NAME, query="x", **arguments)
    assert isinstance(caught.value, ApiError) and caught.value.status_code == status
    assert message in caught.value.body["message"]
