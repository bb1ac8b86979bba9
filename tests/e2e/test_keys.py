"""API keys with names, in a file; which routes want one."""

import hashlib

import pytest

from server import TINY_BGE_M3, Server, run


@pytest.fixture
def key_file(tmp_path):
    def write(content, mode=0o600):
        path = tmp_path / "keys"
        path.write_text(content)
        path.chmod(mode)
        return path

    return write


def embed(server, key, **headers):
    return server.post("/embed", {"texts": ["a", "b"]}, headers={"X-API-Key": key, **headers})


def test_a_file_of_names_and_keys(key_file):
    digest = hashlib.sha256(b"b0b").hexdigest()
    path = key_file(f"# clients\nalice al1ce\nbob sha256:{digest}\nalice al1ce-s-next\n")
    with Server(TINY_BGE_M3, "--api-keys-file", path, "--api-key", "a:b") as server:
        for key in ("al1ce", "al1ce-s-next", "b0b", "a:b"):
            assert embed(server, key).status_code == 200
            bearer = {"Authorization": f"Bearer {key}"}
            assert server.get("/info", headers=bearer).status_code == 200
        for key in ("alice", "bob", "b", digest, f"sha256:{digest}", "al1ce ", ""):
            assert embed(server, key).status_code == (200 if key == "al1ce " else 401)
        metrics = server.get("/metrics").text
        assert 'embedding_requests_total{key="alice"} 5' in metrics
        assert 'embedding_texts_total{key="alice"} 6' in metrics
        assert 'embedding_texts_total{key="bob"} 2' in metrics
        assert 'embedding_texts_total{key="key-1"} 2' in metrics
    assert "4 API keys" in server.stderr()
    assert "may read" not in server.stderr()
    for secret in ("al1ce", "b0b", digest):
        assert secret not in server.stderr() + server.stdout() + metrics


def test_a_file_that_everybody_may_read_is_warned_of(key_file):
    path = key_file("alice al1ce\n", mode=0o644)
    with Server(TINY_BGE_M3, "--api-keys-file", path) as server:
        assert embed(server, "al1ce").status_code == 200
    assert f"chmod o-r {path}" in server.stderr()


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("alice s3cret\ns3cret\n", ":2: expected a name and its key"),
        ("alice s3cret\nbob s3cret", ":2: the key of bob stands in an earlier line too"),
        ("alice my s3cret", ":1: expected nothing behind the key"),
        ("", "has no key in it"),
        (None, "cannot read"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_the_line_and_shows_no_key(key_file, content, part):
    path = key_file(content or "")
    if content is None:
        path.unlink()
    result = run("serve", "--model", TINY_BGE_M3, "--port", "0", "--api-keys-file", path)
    assert result.returncode == 2
    assert part in result.stderr and str(path) in result.stderr
    assert "s3cret" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


OPEN_BY_DEFAULT = ("/", "/health", "/livez", "/ping", "/metrics", "/docs", "/openapi.json")


@pytest.mark.parametrize(
    ("arguments", "opened"),
    [
        ((), OPEN_BY_DEFAULT),
        (("none",), ()),
        (("health",), ("/", "/health", "/livez", "/ping")),
        (("/metrics", "/info"), ("/metrics", "/info")),
    ],
)
def test_which_routes_are_open_is_a_choice(arguments, opened):
    options = [word for name in arguments for word in ("--open-routes", name)]
    with Server(TINY_BGE_M3, "--api-key", "k", *options) as server:
        for path in (*OPEN_BY_DEFAULT, "/info"):
            assert server.get(path).status_code == (200 if path in opened else 401), path
            assert server.get(path, headers={"X-API-Key": "k"}).status_code == 200
        assert embed(server, "").status_code == 401


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--open-routes", "/metric"], 'got "/metric"; did you mean /metrics?'),
        (["--open-routes", "helth"], "did you mean health?"),
        (["--open-routes", "none", "--open-routes", "/docs"], "none stands alone"),
    ],
)
def test_a_route_that_there_is_not_cannot_be_opened(arguments, part):
    result = run("serve", "--model", "/no/such/directory", *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("embedding-service: --open-routes: ") and part in result.stderr
