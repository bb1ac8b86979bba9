"""Bodies and headers as clients write them."""

import json

import pytest

TRUE = [True, 1, 1.0, "true", "True", "1", "yes", "on", "y", "t", "YES"]
FALSE = [False, 0, 0.0, "false", "FALSE", "0", "no", "off", "n", "f"]


def test_a_byte_order_mark(minilm):
    plain = minilm.post("/embed", data=b'{"texts":"a"}')
    marked = minilm.post("/embed", data=b'\xef\xbb\xbf{"texts":"a"}')
    assert marked.status_code == 200 and marked.json() == plain.json()


def test_of_a_key_that_is_there_twice_the_last_counts(minilm):
    plain = minilm.post("/embed", data='{"texts":["b"],"dimensions":2}').json()
    twice = minilm.post("/embed", data='{"texts":["a"],"dimensions":3,"texts":["b"],"dimensions":2}')
    assert twice.json() == plain
    document = '{"query":"x","documents":[{"text":"a","text":"b"}],"return_documents":true}'
    answer = minilm.post("/v1/rerank", data=document).json()
    assert answer["results"][0]["document"]["text"] == "b"


@pytest.mark.parametrize(
    "path, body, part",
    [
        ("/embed", r'{"texts":["a","b","\ud83d\ude00","x\ud83d"]}', "texts[3]: contains an unpaired"),
        ("/embed", r'{"texts":["\\ud800","\udc00\ud800"]}', "texts[1]: contains an unpaired"),
        ("/embed", r'{"inputs":"\uDBFF\u0041"}', "inputs: contains an unpaired"),
        ("/v1/embeddings", r'{"input":["a","\ud83d"]}', "input[1]: contains an unpaired"),
        ("/v1/rerank", r'{"query":"\ud83d","documents":["a"]}', "query: contains an unpaired"),
        ("/api/embed", r'{"input":["\ud83d"]}', "input[0]: contains an unpaired"),
        ("/v1/rerank", r'{"query":"a","documents":["b",{"text":"\ud83d"}]}', "documents[1].text: con"),
        ("/predict", r'{"inputs":["a","\ud83d"]}', "inputs[1]: contains an unpaired"),
        ("/predict", r'{"inputs":[["a","b"],["c","\ud83d"]]}', "inputs[1][1]: contains an unpaired"),
        ("/similarity", r'{"inputs":{"source_sentence":"a","sentences":["b","\ud83d"]}}', "inputs.sentences[1]: con"),
        ("/vertex", r'{"instances":[{"inputs":"a"},{"inputs":"\ud83d"}]}', "instances[1].inputs: con"),
        ("/vertex", r'{"instances":[{"inputs":["a","\ud83d"]}]}', "instances[0].inputs[1]: contains"),
        ("/vertex", r'{"instances":[{"query":"a","documents":[{"text":"\ud83d"}]}]}', "instances[0].documents[0].text: con"),
    ],
)
def test_half_a_character_is_named(minilm, path, body, part):
    response = minilm.post(path, data=body)
    assert response.status_code == 400 and part in response.text, response.text


def test_half_a_character_that_nobody_reads_does_no_harm(minilm):
    plain = minilm.post("/embed", data=r'{"texts":["\ud83d\ude00 \u00e9"]}')
    other = minilm.post("/embed", data=r'{"texts":["\ud83d\ude00 \u00e9"],"note":"\ud83d","\udc00":1}')
    assert other.status_code == 200 and other.json() == plain.json()
    vertex = minilm.post("/vertex", data=r'{"instances":[{"inputs":"a","note":"\ud83d"}]}')
    assert vertex.status_code == 200


def test_numbers_that_nobody_reads_may_be_of_any_size(minilm):
    plain = minilm.post("/embed", data='{"texts":["1"]}').json()
    large = '{"texts":["1"],"id":123456789012345678901234567890,"n":-99999999999999999999,"s":"%s"}'
    response = minilm.post("/embed", data=large % ("9" * 30))
    assert response.status_code == 200 and response.json() == plain
    response = minilm.post("/embed", data='{"texts":["1"],"dimensions":123456789012345678901234}')
    assert response.status_code == 422 and "dimensions" in response.json()["error"]
    beyond = '{"texts":["1"],"a":1e400,"b":[-123.5E+4000],"c":%s,"d":"1e400"}' % ("9" * 400)
    response = minilm.post("/embed", data=beyond)
    assert response.status_code == 200 and response.json() == plain


@pytest.mark.parametrize(
    "path, body, part",
    [
        ("/embed", '{"texts":["1"],"dimensions":1e400}', "dimensions: expected a positive integer"),
        ("/embed", '{"texts":["1"],"normalize":-1e400}', "normalize: expected a boolean"),
        ("/embed", '{"texts":["1"],"dimensions":%s}' % ("9" * 400), "dimensions: expected"),
        ("/decode", '{"ids":[1,1e400]}', "ids[1]: expected a token id"),
        ("/v1/rerank", '{"query":"a","documents":["b"],"mode":"hybrid","weights":[1,1e400,1]}', "weights: expected"),
        ("/v1/embeddings", '{"input":"a","task":1e400}', "task: not supported"),
    ],
)  # fmt: skip
def test_numbers_beyond_all_range_are_refused_by_the_field_s_name(minilm, path, body, part):
    response = minilm.post(path, data=body)
    assert response.status_code == 422 and part in response.text, response.text
    assert "weights" in part or "out of range" in response.text


@pytest.mark.parametrize("number", ["1e400e5", "01e400", "1.e400", "+1e400", "--1e400", "1e", "-"])
def test_what_is_like_a_number_and_none_is_no_json(minilm, number):
    response = minilm.post("/embed", data='{"texts":["1"],"a":1e400,"b":%s}' % number)
    assert response.status_code == 400 and "JSON" in response.json()["error"]


def test_booleans_as_pydantic_takes_them(minilm):
    def embed(value):
        response = minilm.post("/embed", {"texts": ["a"], "normalize": value})
        assert response.status_code == 200, (value, response.text)
        return response.json()["embeddings"]

    assert all(embed(value) == embed(True) for value in TRUE)
    assert all(embed(value) == embed(False) for value in FALSE)
    assert embed(True) != embed(False)
    for value in (2, -1, 0.5, "maybe", "", " true", [True], {}):
        response = minilm.post("/embed", {"texts": ["a"], "normalize": value})
        assert response.status_code == 422
        assert "normalize: expected a boolean" in response.json()["error"]


@pytest.mark.parametrize(
    "path, body",
    [
        ("/embed", {"inputs": "a", "truncate": "no"}),
        ("/rerank", {"query": "a", "texts": ["b"], "return_text": "on"}),
        ("/tokenize", {"inputs": "a", "add_special_tokens": 0}),
        ("/v1/rerank", {"query": "a", "documents": ["b"], "return_documents": 1, "top_n": "1"}),
        ("/api/embed", {"input": "a", "truncate": 0, "dimensions": "4"}),
        ("/v1/embeddings", {"input": "a", "dimensions": "4"}),
    ],
)
def test_every_dialect_takes_them(minilm, path, body):
    assert minilm.post(path, body).status_code == 200


def test_integers_as_strings(minilm):
    answer = minilm.post("/embed", {"texts": ["a"], "dimensions": "64"}).json()
    assert len(answer["embeddings"][0]) == 64
    for value in ("", "0", "-1", "6 4", "64.5", "0x40", "9" * 30):
        response = minilm.post("/embed", {"texts": ["a"], "dimensions": value})
        assert response.status_code == 422
        assert json.dumps(value) in response.json()["error"]


@pytest.mark.parametrize(
    "accept, raw",
    [
        ("application/octet-stream", True),
        ("Application/Octet-Stream", True),
        ("application/octet-stream, */*;q=0.1", True),
        ("application/octet-stream, */*", True),
        ("application/octet-stream, application/json", True),
        ("application/octet-stream;q=0.9, application/json;q=0.8", True),
        ("application/octet-stream;q=0", False),
        ("application/octet-stream; q=0.0, text/html", False),
        ("application/json, application/octet-stream;q=0.5", False),
        ("application/json, application/octet-stream", False),
        ("application/octet-stream;q=0.5, */*", False),
        ("application/octet-streams", False),
        ("*/*", False),
        ("application/*", False),
        ("text/html", False),
        ("application/json;q=0", False),
        ("", False),
    ],
)
def test_accept(minilm, accept, raw):
    response = minilm.post("/embed", {"texts": ["a"]}, headers={"Accept": accept})
    wanted = "application/octet-stream" if raw else "application/json"
    assert response.status_code == 200 and response.headers["content-type"] == wanted


@pytest.mark.parametrize(
    "body, what",
    [
        (b'{"texts": ["a", NaN]}', "NaN and Infinity are no JSON"),
        (b'{"texts": ["a"], "x": -Infinity}', "NaN and Infinity are no JSON"),
        (b"{'texts': ['a']}", "JSON has double quotes"),
        (b"texts=a&texts=b", "a form"),
        (b"--f00\r\nContent-Disposition: form-data; name=texts\r\n\r\na\r\n--f00--", "multipart"),
        ('{"texts": ["a"]}'.encode("utf-16-le"), "UTF-16"),
    ],
)
def test_bodies_that_are_something_else_are_told_so(minilm, body, what):
    response = minilm.post("/embed", data=body)
    assert response.status_code == 400
    assert "not valid JSON" in response.json()["error"] and what in response.json()["error"]
