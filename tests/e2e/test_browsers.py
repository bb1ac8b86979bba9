"""Pages of other origins, as browsers let them ask: preflights, and answers that they may read."""

import pytest
import requests

from server import TINY_BGE_M3, Server

PAGE = "https://app.example.com"
ALLOW = "access-control-allow-origin"


@pytest.fixture(scope="module")
def open_to_page():
    arguments = ("--cors-origin", PAGE, "--cors-origin", "http://localhost:3000", "--api-key", "k")
    with Server(TINY_BGE_M3, *arguments) as server:
        yield server


def preflight(server, path, origin=PAGE, headers="authorization,content-type,x-stainless-os"):
    return requests.options(
        server.url + path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": headers,
        },
        timeout=30,
    )


@pytest.mark.parametrize("path", ["/embed", "/v1/embeddings", "/api/embed", "/v1/rerank", "/"])
def test_a_preflight_needs_no_key(open_to_page, path):
    response = preflight(open_to_page, path)
    assert response.status_code == 204 and response.content == b""
    assert response.headers[ALLOW] == PAGE
    assert "POST" in response.headers["access-control-allow-methods"].split(", ")
    allowed = response.headers["access-control-allow-headers"].lower()
    for name in ("authorization", "x-api-key", "content-type", "accept", "x-request-id"):
        assert name in allowed
    assert "x-stainless-os" in allowed  # what the page asks for
    assert "Origin" in response.headers["vary"]
    assert int(response.headers["access-control-max-age"]) > 0
    assert "content-length" not in response.headers


def test_a_preflight_of_no_known_page_allows_nothing(open_to_page):
    for origin in ("https://evil.example.com", "https://app.example.com:8443", "null"):
        response = preflight(open_to_page, "/embed", origin=origin)
        assert ALLOW not in response.headers
        assert "Origin" in response.headers["vary"]


def test_what_a_page_asks_for_cannot_write_headers(open_to_page):
    response = preflight(open_to_page, "/embed", headers="a: b; <x>")
    assert "<x>" not in response.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "status, request_of",
    [
        (200, lambda s, h: s.post("/embed", {"texts": ["a"]}, headers={**h, "X-API-Key": "k"})),
        (401, lambda s, h: s.post("/embed", {"texts": ["a"]}, headers=h)),
        (404, lambda s, h: s.get("/nowhere", headers=h)),
        (405, lambda s, h: s.get("/embed", headers=h)),
        (422, lambda s, h: s.post("/embed", {}, headers={**h, "X-API-Key": "k"})),
        (200, lambda s, h: s.get("/health", headers=h)),
        (
            413,
            lambda s, h: s.post(
                "/embed", data=b" " * 49_152_001, headers={**h, "X-API-Key": "k"}
            ),
        ),
    ],
)
def test_every_answer_may_be_read_by_the_page(open_to_page, status, request_of):
    for origin in (PAGE, "http://localhost:3000"):
        response = request_of(open_to_page, {"Origin": origin})
        assert response.status_code == status
        assert response.headers[ALLOW] == origin
        exposed = response.headers["access-control-expose-headers"].lower()
        for name in ("x-request-id", "x-truncated", "x-shape", "x-compute-tokens", "retry-after"):
            assert name in exposed
        assert response.headers["vary"] == "Origin"
    assert ALLOW not in request_of(open_to_page, {"Origin": "https://other.example"}).headers


def test_what_the_server_refuses_before_it_has_a_request_may_be_read(open_to_page):
    answer = open_to_page.exchange(
        b"GET /health HTTP/1.1\r\nHost: h\r\nOrigin: %s\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
        % PAGE.encode()
    )
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert b"Access-Control-Allow-Origin: %s\r\n" % PAGE.encode() in answer


def test_a_star_stands_for_every_page():
    with Server(TINY_BGE_M3, "--cors-origin", "*") as server:
        response = server.post("/embed", {"texts": ["a"]}, headers={"Origin": "tauri://localhost"})
        assert response.headers[ALLOW] == "*"
        assert preflight(server, "/embed", origin="null").headers[ALLOW] == "*"
        assert ALLOW not in server.get("/health").headers


def test_without_the_option_nothing_is_said_of_it(tiny_bge_m3):
    response = preflight(tiny_bge_m3, "/embed")
    assert response.status_code == 204
    headers = set(response.headers) | set(
        tiny_bge_m3.get("/health", headers={"Origin": PAGE}).headers
    )
    assert not {name for name in headers if name.lower().startswith("access-control") or name == "Vary"}


def test_options_tells_the_methods(tiny_bge_m3):
    def allow(path):
        response = requests.options(tiny_bge_m3.url + path, timeout=30)
        assert response.status_code == 204
        return set(response.headers["allow"].split(", "))

    assert allow("/embed") == {"POST", "OPTIONS"}
    assert allow("/health") == {"GET", "HEAD", "OPTIONS"}
    assert allow("/") == {"GET", "HEAD", "POST", "OPTIONS"}
    assert requests.options(tiny_bge_m3.url + "/nowhere", timeout=30).status_code == 404
    answer = tiny_bge_m3.exchange(b"OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 204 ") and b"Allow: GET, HEAD, POST, OPTIONS\r\n" in answer
