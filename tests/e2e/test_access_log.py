"""--access-log: a line for every request, whatever became of it, and nothing in it that is a secret."""

import re

import pytest
import requests

from server import TINY_BGE_M3, Server

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
LINE = re.compile(r"(\S+ \S+ \d+ key=\S+ address=.*)$")


def lines(server):
    """Of a server that has ended, so that all is written: the fields of each line, by name."""
    found = []
    for line in server.stderr().splitlines():
        if match := LINE.search(line):
            method, route, status, *fields = match.group(1).split(" ")
            fields = dict(field.partition("=")[::2] for field in fields if "=" in field)
            found.append({"method": method, "route": route, "status": int(status), **fields})
    return found


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """What a server has logged of one request of each kind, and its whole log."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text("alice s3cret\n")
    path.chmod(0o600)
    arguments = ("--access-log", "true", "--api-keys-file", path, "--payload-limit", 1000)
    key = {"X-API-Key": "s3cret"}
    with Server(TINY_BGE_M3, *arguments) as server:
        body = {"texts": ["a pr1vate text", "another"]}
        server.post("/embed?t=qu3ry", body, headers={**key, "X-Request-Id": "fine",
                    "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})  # fmt: skip
        server.post("/embed", body, headers={"X-API-Key": "wr0ng", "X-Request-Id": "no-key"})
        server.post("/wr1tten", body, headers={**key, "X-Request-Id": "no-path"})
        server.get("/embed", headers={**key, "X-Request-Id": "no-method"})
        server.post("/embed", {"texts": 3}, headers={**key, "X-Request-Id": "no-texts"})
        large = {"texts": ["a pr1vate text"] * 1000}
        server.post("/embed", large, headers={**key, "X-Request-Id": "too-large"})
        chunks = (chunk for chunk in [b" " * 600] * 2)
        server.post("/embed", data=chunks, headers={**key, "X-Request-Id": "too-long"})
        server.exchange(b"GET /pr1vate HTTP/1.1\r\nX-Request-Id: no-host\r\n\r\n")
        server.exchange(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
        server.get("/health", headers={"X-Request-Id": "probe", "traceparent": f"00-{TRACE}-0-1"})
    return lines(server), server.stderr()


def of(logged, request_id):
    (line,) = [line for line in logged[0] if line["id"] == request_id]
    return line


def test_what_an_answered_request_was(logged):
    line = of(logged, "fine")
    assert (line["method"], line["route"], line["status"]) == ("POST", "/embed", 200)
    assert (line["key"], line["address"]) == ("alice", "127.0.0.1")
    assert line["texts"] == "2" and int(line["tokens"]) >= 6
    assert line["trace"] == TRACE
    assert int(line["in"]) == 40 and int(line["out"]) > 100
    times = [float(line[f"{name}_ms"]) for name in ("tokenization", "queue", "inference", "total")]
    assert all(time >= 0 for time in times)
    assert times[3] >= times[2] > 0


@pytest.mark.parametrize(
    ("request_id", "route", "status", "key"),
    [
        ("no-key", "/embed", 401, "-"),
        ("no-path", "-", 404, "alice"),
        ("no-method", "/embed", 405, "alice"),
        ("no-texts", "/embed", 422, "alice"),
        ("too-large", "/embed", 413, "-"),  # seen before anybody asks for the key
        ("too-long", "/embed", 413, "alice"),
        ("no-host", "-", 400, "-"),
        ("probe", "/health", 200, "-"),
    ],
)
def test_what_is_refused_has_its_line_too(logged, request_id, route, status, key):
    line = of(logged, request_id)
    assert (line["route"], line["status"], line["key"]) == (route, status, key)
    assert line["address"] == "127.0.0.1"
    assert line["texts"] == "0"
    assert line["trace"] == "-"  # a malformed one too


def test_every_request_has_one_line(logged):
    assert len(logged[0]) == 10
    assert [line["status"] for line in logged[0]].count(400) == 2


def test_nothing_in_it_is_a_secret(logged):
    for secret in ("s3cret", "wr0ng", "pr1vate", "another", "qu3ry", "wr1tten"):
        assert secret not in logged[1]


def test_a_client_that_leaves_before_its_body_has_come_has_its_line():
    with Server(TINY_BGE_M3, "--access-log", "true") as server:
        with server.connect() as connection:
            connection.sendall(b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf")
        session = requests.Session()
        for _ in range(3):
            assert session.post(server.url + "/embed", json={"texts": ["a"]}).status_code == 200
    assert sorted(line["status"] for line in lines(server)) == [200, 200, 200, 499]
    assert "[error]" not in server.stderr()


def test_without_the_option_nothing_is_logged():
    with Server(TINY_BGE_M3) as server:
        server.post("/embed", {"texts": ["a"]})
    assert lines(server) == []
