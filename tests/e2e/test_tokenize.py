"""/tokenize against the `tokenizers` library: 1,785 texts in 80 languages and Unicode stress."""

import json
import shutil

import pytest

from server import DATA, TINY_BGE_M3, Server


def corpus(name):
    with open(DATA / "expected" / name, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    "model, file",
    [("minilm", "tokens.all-MiniLM-L6-v2.jsonl"), ("bge_m3_stub", "tokens.bge-m3.jsonl")],
)
def test_every_text_has_its_ids(model, file, request):
    server = request.getfixturevalue(model)
    rows = corpus(file)
    assert len(rows) == 1785
    wrong = []
    for begin in range(0, len(rows), 100):
        batch = rows[begin : begin + 100]
        response = server.post("/tokenize", {"inputs": [row["text"] for row in batch]})
        assert response.status_code == 200, response.text
        for row, tokens in zip(batch, response.json(), strict=True):
            if [token["id"] for token in tokens] != row["ids"]:
                wrong.append(row["text"])
            for token in tokens:
                if token["special"]:
                    assert token["start"] is None and token["stop"] is None
                else:
                    assert token["text"] == row["text"][token["start"] : token["stop"]]
    assert wrong == []


def test_special_tokens_can_be_left_out(minilm):
    body = {"inputs": "Hello wörld", "add_special_tokens": False}
    assert minilm.post("/tokenize", body).json() == [
        [
            {"id": 7592, "text": "Hello", "special": False, "start": 0, "stop": 5},
            {"id": 2088, "text": "wörld", "special": False, "start": 6, "stop": 11},
        ]
    ]


def test_prompts_are_put_before_texts_as_embed_puts_them(tmp_path):
    model = tmp_path / "model"
    shutil.copytree(TINY_BGE_M3, model)
    prompts = {"prompts": {"query": "query: "}, "default_prompt_name": "query"}
    (model / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    with Server(model) as server:

        def tokens(body):
            [each] = server.post("/tokenize", body).json()
            return [token["id"] for token in each]

        asked = tokens({"inputs": "query: one"})  # has the default prompt once more
        named = tokens({"inputs": "one", "prompt_name": "query"})
        assert tokens({"inputs": "one"}) == named != asked
        usage = server.post("/embed", {"texts": ["one"]}).json()["usage"]
        assert usage["prompt_tokens"] == len(named)
        wrong = {"inputs": "one", "prompt_name": "passage"}
        embed = server.post("/embed", wrong)
        response = server.post("/tokenize", wrong)
        assert response.status_code == 422 and response.json() == embed.json()
        assert "has only these prompts: query" in response.json()["error"]


@pytest.mark.parametrize("model, fixture", [("all-MiniLM-L6-v2", "minilm"), ("tiny-bge-m3", "tiny_bge_m3")])
def test_decode_gives_the_texts_of_the_original(model, fixture, request):
    server = request.getfixturevalue(fixture)
    rows = json.loads((DATA / "expected/decoded.json").read_text())
    for skip in (True, False):
        mine = [row for row in rows if row["model"] == model and row["skip"] == skip]
        body = {"ids": [row["ids"] for row in mine], "skip_special_tokens": skip}
        texts = server.post("/decode", body).json()
        assert texts == [row["text"] for row in mine]
