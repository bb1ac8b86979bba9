"""How much each client may ask: 429 and the headers that tell what is left.

Whatever the machine's speed, a client is let through as often as its bucket holds, and once more for each part of a second that passes.
"""

import time

import pytest

from nginx import Nginx
from server import TINY_BGE_M3, Server

LIMIT = "RateLimit-Limit"
REMAINING = "RateLimit-Remaining"
RESET = "RateLimit-Reset"


def ask(server, key="", texts=("a",)):
    return server.post("/embed", {"texts": list(texts)}, headers={"X-API-Key": key} if key else {})


def let_through(ask_once, attempts=30):
    """How many of the attempts were, and the most that could have been besides a burst at 1 a second."""
    begun = time.monotonic()
    answers = [ask_once() for _ in range(attempts)]
    count = sum(answer.status_code == 200 for answer in answers)
    assert {answer.status_code for answer in answers} <= {200, 429}
    return count, 1 + int(time.monotonic() - begun)


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text("alice a\nbob b\nbulk c requests=0\n")
    path.chmod(0o600)
    arguments = ("--rate-limit-requests", 1, "--rate-limit-burst", 10, "--open-routes", "/embed",
                 "--open-routes", "health", "--open-routes", "metrics",
                 "--api-keys-file", path)  # fmt: skip
    with Server(TINY_BGE_M3, *arguments) as server:
        yield server


def test_each_key_and_each_address_has_its_own_bucket(limited):
    for key in ("a", "b", ""):
        count, more = let_through(lambda key=key: ask(limited, key))
        assert 10 <= count <= 10 + more, key


def test_a_key_may_have_a_limit_of_its_own(limited):
    assert let_through(lambda: ask(limited, "c"))[0] == 30
    assert LIMIT not in ask(limited, "c").headers


def test_probes_are_not_limited(limited):
    for _ in range(30):
        answer = limited.get("/health")
        assert answer.status_code == 200 and LIMIT not in answer.headers


def test_a_client_is_told_when_to_try_again(limited):
    let_through(lambda: ask(limited, "a"))
    refused = ask(limited, "a")
    while refused.status_code == 200:
        refused = ask(limited, "a")
    assert refused.status_code == 429
    assert refused.json()["error_type"] == "Overloaded"
    assert "rate limit of requests of this key" in refused.json()["error"]
    assert refused.headers["Retry-After"] == "1"
    assert (refused.headers[LIMIT], refused.headers[REMAINING]) == ("10", "0")
    assert refused.headers[RESET] == "10"
    metrics = limited.get("/metrics").text
    assert 'embedding_rate_limited_total{key="alice",limit="requests"}' in metrics


def test_tokens_are_paid_for_by_who_has_had_them():
    with Server(TINY_BGE_M3, "--rate-limit-tokens", 10) as server:
        # More than the bucket ever holds is answered, and then waited for.
        answer = ask(server, texts=["a b c d"] * 20)
        tokens = answer.json()["usage"]["total_tokens"]
        assert answer.status_code == 200 and tokens > 60
        assert (answer.headers[LIMIT], answer.headers[REMAINING]) == ("10", "0")
        refused = ask(server)
        assert refused.status_code == 429
        assert "tokens of this address" in refused.json()["error"]
        assert 1 <= int(refused.headers["Retry-After"]) <= (tokens - 10) // 10 + 1
        openai = server.post("/v1/embeddings", {"input": "a"})
        assert openai.status_code == 429
        assert openai.json()["error"]["code"] == "rate_limit_exceeded"


def test_what_is_refused_is_refused_without_its_body():
    with Server(TINY_BGE_M3, "--rate-limit-tokens", 1) as server:
        assert ask(server, texts=["a b c d"] * 50).status_code == 200  # in debt for minutes
        with server.connect() as connection:
            connection.sendall(b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 429 ")


def test_a_page_may_read_the_headers():
    arguments = ("--rate-limit-requests", 5, "--cors-origin", "*")
    with Server(TINY_BGE_M3, *arguments) as server:
        answer = server.post("/embed", {"texts": ["a"]}, headers={"Origin": "https://a.example"})
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {LIMIT, REMAINING, RESET, "Retry-After"} <= set(exposed)
        assert answer.headers[LIMIT] == "5"


FORWARDED_FOR = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"


def through(nginx, tmp_path, client, spoofed):
    """A request through nginx whose client says that it is `client`, which nginx adds itself to."""
    import requests

    return requests.post(
        nginx.url + "/embed",
        json={"texts": ["a"]},
        headers={"X-Forwarded-For": client, "Forwarded": f"for={client}"} if spoofed else {},
        timeout=60,
    )


@pytest.mark.parametrize("trusted", [True, False])
def test_behind_nginx_each_of_its_clients_has_a_bucket(tmp_path, trusted):
    """The clients all come from 127.0.0.1 here, so a second nginx, which is trusted too, tells others."""
    arguments = ("--rate-limit-requests", 1, "--rate-limit-burst", 5, "--access-log", "true")
    proxies = ("--trusted-proxy", "127.0.0.1") if trusted else ()
    with Server(TINY_BGE_M3, *arguments, *proxies) as server:
        outer, inner = tmp_path / "outer", tmp_path / "inner"
        outer.mkdir(), inner.mkdir()
        with Nginx(inner, server.url, FORWARDED_FOR) as nginx:
            clients = {}
            for client in ("198.51.100.1", "198.51.100.2", "2001:db8::1"):
                # What a proxy in front of nginx would write.
                directives = f"proxy_set_header X-Forwarded-For {client};"
                folder = outer / client.replace(":", "-")
                folder.mkdir()
                with Nginx(folder, nginx.url, directives) as front:
                    clients[client] = let_through(
                        lambda front=front: through(front, tmp_path, "", spoofed=False), 15
                    )
    if trusted:
        for count, more in clients.values():
            assert 5 <= count <= 5 + more
        for client in clients:
            assert f" address={client} " in server.stderr()
    else:
        total = sum(count for count, _ in clients.values())
        assert 5 <= total <= 5 + sum(more for _, more in clients.values()) + 3
        assert "198.51.100.1" not in server.stderr()
        assert " address=127.0.0.1 " in server.stderr()


def test_a_client_cannot_choose_its_address_through_nginx(tmp_path):
    """nginx adds whom it hears to what the client sends, and passes Forwarded on as it is."""
    arguments = ("--rate-limit-requests", 1, "--rate-limit-burst", 5, "--access-log", "true")
    with Server(TINY_BGE_M3, *arguments, "--trusted-proxy", "127.0.0.0/8") as server:
        directives = "proxy_set_header X-Forwarded-For \"$http_x_forwarded_for, 203.0.113.9\";"
        with Nginx(tmp_path, server.url, directives) as nginx:
            addresses = iter(range(1, 200))
            count, more = let_through(
                lambda: through(nginx, tmp_path, f"198.51.100.{next(addresses)}", spoofed=True)
            )
            assert 5 <= count <= 5 + more
    assert "198.51.100." not in server.stderr()
