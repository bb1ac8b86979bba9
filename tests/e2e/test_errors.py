"""Every row of the table of errors, as a client sees it."""

import pytest

from server import TINY_BGE_M3, Server


def assert_error(response, status, error_type, part):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    body = response.json()
    assert body["error_type"] == error_type
    assert part in body["error"]
    assert part in body["detail"]


@pytest.mark.parametrize("path, field", [("/embed", "texts"), ("/tokenize", "inputs")])
@pytest.mark.parametrize(
    "value, status, error_type, part",
    [
        ("[]", 400, "Empty", "{field}"),
        ('["a", 3]', 422, "Validation", "{field}[1]: expected a string, got number"),
        ("7", 422, "Validation", "{field}: expected a string or an array of strings, got number"),
        ("null", 422, "Validation", "{field}: missing"),
        ('["\\ud800"]', 400, "Validation", "surrogate"),
        ('["\\udc00 "]', 400, "Validation", "surrogate"),
        ('["a"', 400, "Validation", "JSON"),
        ("[" + '"a",' * 1000 + '"a"]', 422, "Validation", "batch size 1001 > maximum allowed batch"),
    ],
)
def test_bad_texts(minilm, path, field, value, status, error_type, part):
    response = minilm.post(path, data=f'{{"{field}": {value}}}')
    assert_error(response, status, error_type, part.format(field=field))


@pytest.mark.parametrize("path", ["/embed", "/tokenize"])
@pytest.mark.parametrize(
    "body, status, part",
    [
        (b"", 400, "empty"),
        (b"not json", 400, "JSON"),
        (b"[1]", 422, "expected an object, got array"),
        (b"{}", 422, "missing"),
        (b'{"texts": ["\xff"], "inputs": ["\xff"]}', 400, "UTF-8 at byte 12"),
        (b'{"texts": ["\xc0\x80"], "inputs": "a"}', 400, "UTF-8"),
        (b"[" * 1_000_000, 400, "JSON"),
    ],
)
def test_bad_bodies(minilm, path, body, status, part):
    assert_error(minilm.post(path, data=body), status, "Validation", part)


@pytest.mark.parametrize(
    "fields, status, error_type, part",
    [
        ({"normalize": "maybe"}, 422, "Validation", 'normalize: expected a boolean, got "maybe"'),
        ({"truncate": 2}, 422, "Validation", "truncate: expected a boolean, got 2"),
        ({"truncate": [True]}, 422, "Validation", "truncate: expected a boolean, got array"),
        ({"dimensions": 0}, 422, "Validation", "dimensions"),
        ({"dimensions": 385}, 422, "Validation", "385"),
        ({"prompt_name": "query"}, 422, "Validation", "prompt_name"),
        ({"return_dense": False}, 422, "Validation", "return_dense"),
        ({"return_sparse": True}, 424, "Backend", "model all-MiniLM-L6-v2 has no sparse head"),
        ({"return_colbert_vecs": True}, 424, "Backend", "model all-MiniLM-L6-v2 has no ColBERT"),
    ],
)
def test_bad_fields_of_embed(minilm, fields, status, error_type, part):
    assert_error(minilm.post("/embed", {"texts": ["a"], **fields}), status, error_type, part)


def test_too_long_without_truncation_says_how_long(minilm):
    response = minilm.post("/embed", {"texts": ["a", "word " * 400], "truncate": False})
    assert_error(response, 422, "Validation", "402")
    assert "256" in response.json()["error"]


def test_the_tei_dialect_of_embed_names_its_own_field(minilm):
    assert_error(minilm.post("/embed", {"inputs": 3}), 422, "Validation", "inputs")
    long = {"inputs": ["a", "word " * 300], "truncate": False}
    assert_error(minilm.post("/embed", long), 422, "Validation", "inputs[1] has 302 tokens")


def test_unknown_path(minilm):
    assert_error(minilm.get("/nowhere"), 404, "Validation", "/nowhere")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "BREW"])
def test_wrong_method(minilm, method):
    import requests

    response = requests.request(method, minilm.url + "/embed", timeout=30)
    assert_error(response, 405, "Validation", method)
    assert response.headers["allow"] == "POST, OPTIONS"


def test_head_is_answered_without_a_body(minilm):
    for path, status in ((b"/health", b"200"), (b"/docs", b"200"), (b"/embed", b"405")):
        request = b" %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % path
        head, _, body = minilm.exchange(b"HEAD" + request).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %s " % status)
        assert body == b""
        if status == b"200":  # as long as GET's answer would be
            _, _, body = minilm.exchange(b"GET" + request).partition(b"\r\n\r\n")
            assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"


def test_limits_can_be_set():
    with Server(TINY_BGE_M3, "--max-client-batch-size", 2, "--payload-limit", 100) as server:
        assert server.post("/embed", {"texts": ["a", "b"]}).status_code == 200
        response = server.post("/embed", {"texts": ["a", "b", "c"]})
        assert_error(response, 422, "Validation", "batch size 3 > maximum allowed batch size 2")
        response = server.post("/embed", {"texts": ["a" * 100]})
        assert_error(response, 413, "Validation", "100 bytes")


def test_the_server_goes_on_after_all_that(minilm):
    assert minilm.post("/embed", {"texts": ["a"]}).status_code == 200
