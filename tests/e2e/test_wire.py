"""What a proxy, a slow network or a hostile client may put on the wire."""

import json
import socket
import struct
import threading

import pytest

from server import PATIENCE_S, TINY_BGE_M3, Server, read_all, read_response

BODY = json.dumps({"texts": ["hello"]}).encode()
HEAD = b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(BODY)


def assert_embedded(response):
    status, _, body = response
    assert status == 200, body
    assert len(json.loads(body)["embeddings"]) == 1


def test_a_request_byte_by_byte(minilm):
    with minilm.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in HEAD + BODY:
            connection.sendall(bytes([byte]))
        assert_embedded(read_response(connection.makefile("rb")))


def test_chunked_body(minilm):
    chunked = b"POST /embed HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    for i in range(0, len(BODY), 3):
        piece = BODY[i : i + 3]
        chunked += b"%x;ext=1\r\n%s\r\n" % (len(piece), piece)
    chunked += b"0\r\nTrailer: x\r\n\r\n"
    with minilm.connect() as connection:
        stream = connection.makefile("rb")
        for _ in range(2):  # and the connection goes on after it
            connection.sendall(chunked)
            assert_embedded(read_response(stream))


def test_chunked_body_over_the_limit():
    with Server(TINY_BGE_M3, "--payload-limit", 1000) as server:
        with server.connect() as connection:
            connection.sendall(b"POST /embed HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.sendall(b"400\r\n" + b" " * 0x400 + b"\r\n0\r\n\r\n")
            answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 413 ")


def test_pipelined_requests_are_answered_in_order(minilm):
    paths = [b"/livez", b"/embed", b"/nowhere", b"/health", b"/embed"]
    data = b""
    for path in paths:
        data += HEAD + BODY if path == b"/embed" else b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path
    with minilm.connect() as connection:
        connection.sendall(data)
        stream = connection.makefile("rb")
        statuses = [read_response(stream)[0] for _ in paths]
    assert statuses == [200, 200, 404, 200, 200]


def test_a_hundred_pipelined_requests(minilm):
    with minilm.connect() as connection:
        connection.sendall((HEAD + BODY) * 100)
        stream = connection.makefile("rb")
        for _ in range(100):
            assert_embedded(read_response(stream))


def test_http_1_0_closes(minilm):
    answer = minilm.exchange(b"GET /health HTTP/1.0\r\n\r\n")
    assert b" 200 OK\r\n" in answer
    assert b'"healthy"' in answer


def test_http_1_0_keeps_alive_if_asked(minilm):
    with minilm.connect() as connection:
        stream = connection.makefile("rb")
        for _ in range(2):
            connection.sendall(b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            status, headers, _ = read_response(stream)
            assert status == 200
            assert headers["connection"].lower() == "keep-alive"


def test_connection_close_is_honoured(minilm):
    answer = minilm.exchange(b"GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert b"connection: close" in answer.lower()


def test_expect_100_continue(minilm):
    with minilm.connect() as connection:
        connection.sendall(HEAD[:-2] + b"Expect: 100-continue\r\n\r\n")
        stream = connection.makefile("rb")
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert stream.readline() == b"\r\n"
        connection.sendall(BODY)
        assert_embedded(read_response(stream))


def test_expect_100_continue_of_too_large_a_body_is_refused_unsent(minilm):
    answer = minilm.exchange(
        b"POST /embed HTTP/1.1\r\nHost: h\r\nx-request-id: big\r\nContent-Length: 50000000\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"x-request-id: big\r\n" in answer


def test_too_large_a_body_is_refused_although_the_client_keeps_sending(minilm):
    size = 50_000_000
    answer = minilm.exchange(
        b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + b" " * size
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error_type"] == "Validation"


def test_a_body_of_just_the_limit_is_taken(minilm):
    body = BODY.ljust(2_000_000)
    head = b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n"
    with minilm.connect() as connection:
        connection.sendall(head + body)
        assert_embedded(read_response(connection.makefile("rb")))


def test_a_huge_header_is_refused(minilm):
    answer = minilm.exchange(b"GET /health HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error_type"] == "Validation"


def test_a_huge_target_is_refused(minilm):
    answer = minilm.exchange(b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET /health HTTP/3.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
        b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET /health HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(minilm, data):
    answer = minilm.exchange(data)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b"x-request-id: " in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error_type"] == "Validation"


@pytest.mark.parametrize(
    "headers, status",
    [
        (b"Transfer-Encoding: identity\r\n", b"400"),
        (b"Transfer-Encoding: identity\r\nContent-Length: 42\r\n", b"400"),
        (b"Transfer-Encoding: gzip, chunked\r\n", b"501"),
        (b"Content-Encoding: gzip\r\nContent-Length: 42\r\n", b"415"),
        (b"Host: other\r\n", b"400"),
    ],
)
def test_no_body_is_answered_as_a_request(minilm, headers, status):
    smuggled = b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n"
    answer = minilm.exchange(b"POST /embed HTTP/1.1\r\nHost: h\r\n" + headers + b"\r\n" + smuggled)
    assert answer.startswith(b"HTTP/1.1 " + status), answer
    assert answer.count(b"HTTP/1.1 ") == 1  # and the connection is closed
    assert b"Connection: close\r\n" in answer


def test_a_target_may_be_a_url(minilm):
    answer = minilm.exchange(
        b"GET http://h/livez?a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_an_empty_line_before_a_request_is_ignored(minilm):
    request = b"\r\nGET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    assert minilm.exchange(request).startswith(b"HTTP/1.1 200 ")


def test_connections_cut_anywhere_do_no_harm(minilm):
    data = HEAD + BODY
    for cut in [0, 1, 10, len(HEAD) - 1, len(HEAD), len(HEAD) + 5, len(data)]:
        for reset in (False, True):
            with minilm.connect() as connection:
                connection.sendall(data[:cut])
                if reset:  # close() sends RST
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    assert minilm.post("/embed", {"texts": ["a"]}).status_code == 200


def test_a_thousand_idle_connections_do_not_matter(minilm):
    idle = [minilm.connect() for _ in range(1000)]
    try:
        for connection in idle[::100]:
            connection.sendall(b"GET /hea")
        assert minilm.post("/embed", {"texts": ["a"]}).status_code == 200
        idle[0].sendall(b"lth HTTP/1.1\r\nHost: h\r\n\r\n")
        assert read_response(idle[0].makefile("rb"))[0] == 200
        idle[1].sendall(HEAD + BODY)
        assert_embedded(read_response(idle[1].makefile("rb")))
    finally:
        for connection in idle:
            connection.close()


def test_connections_over_the_limit_are_told(tmp_path):
    with Server(TINY_BGE_M3, "--max-connections", 2) as server:
        kept = [server.connect(), server.connect()]
        for connection in kept:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n")
            assert read_response(connection.makefile("rb"))[0] == 200
        with server.connect() as third:
            status, headers, body = read_response(third.makefile("rb"))
        assert status == 503
        assert headers["retry-after"]
        assert json.loads(body)["error_type"] == "Unhealthy"
        for connection in kept:
            connection.close()


def test_request_ids(minilm):
    mine = minilm.get("/livez", headers={"X-Request-Id": "mine-1"})
    assert mine.headers["x-request-id"] == "mine-1"
    made = {minilm.get("/livez").headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3
    assert minilm.get("/livez", headers={"X-Request-Id": "x" * 129}).headers[
        "x-request-id"
    ] != "x" * 129


def test_many_clients_at_once(tiny_bge_m3):
    failures = []

    def client(number):
        for i in range(20):
            response = tiny_bge_m3.post("/embed", {"texts": [f"text {number} {i}"] * 3})
            if response.status_code != 200 or len(response.json()["embeddings"]) != 3:
                failures.append(response.text)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
