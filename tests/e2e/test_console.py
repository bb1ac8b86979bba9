"""GET / of the real binary: the console for a browser, and health for everybody else."""

import base64
import gzip
import hashlib
import re

import pytest
import requests

from server import MINILM, ROOT, TINY_BGE_M3, Server, environment, run

PAGE = (ROOT / "web" / "console.html").read_bytes()
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
IDENTITY = {"Accept-Encoding": "identity"}


def head_of(response):
    return {k: v for k, v in response.headers.items() if k.lower() not in ("date", "x-request-id")}


def test_a_browser_gets_the_page_and_everybody_else_health(tiny_bge_m3):
    response = tiny_bge_m3.get("/", headers=BROWSER)
    assert response.status_code == 200 and response.content == PAGE
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for headers in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
        assert tiny_bge_m3.get("/", headers=headers).json()["status"] == "healthy"


def test_the_page_is_sent_compressed(tiny_bge_m3):
    with requests.get(tiny_bge_m3.url, headers={**BROWSER, "Accept-Encoding": "gzip"}, stream=True, timeout=30) as r:
        assert r.headers["content-encoding"] == "gzip"
        sent = r.raw.read(decode_content=False)
    assert gzip.decompress(sent) == PAGE
    assert len(sent) == int(r.headers["content-length"]) < 60_000
    assert "content-encoding" not in tiny_bge_m3.get("/", headers={**BROWSER, **IDENTITY}).headers


def test_head_tells_what_get_would(tiny_bge_m3):
    for headers in (BROWSER, {**BROWSER, **IDENTITY}, {}):
        got = tiny_bge_m3.get("/", headers=headers)
        head = requests.head(tiny_bge_m3.url, headers=headers, timeout=30)
        assert head.content == b"" and head_of(head) == head_of(got)


def test_the_policy_names_what_is_in_the_page(tiny_bge_m3):
    headers = tiny_bge_m3.get("/", headers=BROWSER).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    for kind, pattern in (("script-src", rb'<script type="module">(.*?)</script>'), ("style-src", rb"<style>(.*?)</style>")):
        [element] = re.findall(pattern, PAGE, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(element).digest()).decode()
        assert policy[kind] == f"'sha256-{digest}'"
    assert policy["default-src"] == "'none'" and policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    # Nothing from elsewhere: what looks like an address names the language of SVG, which nobody asks.
    assert set(re.findall(rb"https?://[\w.]+", PAGE)) == {b"http://www.w3.org"}


def test_a_page_that_is_known_is_not_sent_again(tiny_bge_m3):
    for encoding in (IDENTITY, {"Accept-Encoding": "gzip"}):
        tag = tiny_bge_m3.get("/", headers={**BROWSER, **encoding}).headers["etag"]
        again = tiny_bge_m3.get("/", headers={**BROWSER, **encoding, "If-None-Match": f'"x", W/{tag}'})
        assert again.status_code == 304 and again.content == b""
        assert "content-length" not in again.headers and again.headers["etag"] == tag
        assert tiny_bge_m3.get("/", headers={**BROWSER, **encoding, "If-None-Match": '"x"'}).content == PAGE
    # The connection is still good after an answer without a body.
    with requests.Session() as session:
        for expected in (304, 200, 304):
            known = {"If-None-Match": tag} if expected == 304 else {}
            answer = session.get(tiny_bge_m3.url, headers={**BROWSER, "Accept-Encoding": "gzip", **known}, timeout=30)
            assert answer.status_code == expected


@pytest.mark.parametrize("by", ["option", "environment", "file"])
def test_it_can_be_turned_off(by, tmp_path):
    (tmp_path / "config.toml").write_text("no-console = true\n")
    arguments = {"option": ["--no-console"], "environment": [], "file": ["--config", tmp_path / "config.toml"]}[by]
    env = environment(**({"EMBEDDING_SERVICE_NO_CONSOLE": "1"} if by == "environment" else {}))
    with Server(MINILM, *arguments, env=env) as server:
        assert server.get("/", headers=BROWSER).json()["status"] == "healthy"
        assert f"Try it: {server.url}/docs" in server.stdout()


def test_the_page_needs_a_key_where_its_route_does():
    with Server(TINY_BGE_M3, "--api-key", "k") as server:
        assert server.get("/", headers=BROWSER).content == PAGE
    with Server(TINY_BGE_M3, "--api-key", "k", "--open-routes", "docs") as server:
        assert server.get("/", headers=BROWSER).status_code == 401


def test_pages_of_other_origins_vary_by_theirs_too():
    with Server(TINY_BGE_M3, "--cors-origin", "https://app.example.com") as server:
        vary = server.get("/", headers=BROWSER).headers["vary"]
    assert {name.strip() for name in vary.split(",")} == {"Accept", "Accept-Encoding", "Origin"}


def test_info_tells_what_the_page_shows_of_a_model(tiny_bge_m3):
    [model] = tiny_bge_m3.get("/info").json()["models"]
    assert model["device"] == "cpu" and model["dtype"] == "float32"
    assert model["prompts"] == ["document", "query"]
    assert model["parameters"] > 1_000_000


def test_help_tells_of_the_option():
    assert "--no-console" in run("serve", "--help").stdout
