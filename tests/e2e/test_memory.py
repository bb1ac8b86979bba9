"""What clients can make the server hold, with bounds that do not depend on how many there are."""

import json
import re
import select
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from server import MINILM, PATIENCE_S, TINY_BGE_M3, Server, read_response, wait_for

MB = 1_000_000

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read as Linux tells it"
)


def anonymous_bytes(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1)) * 1024


def peak_bytes(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


def unfinished_body(size=2 * MB, sent=2 * MB - 1, headers=b""):
    head = b"POST /embed HTTP/1.1\r\nHost: h\r\n%sContent-Length: %d\r\n\r\n" % (headers, size)
    return head + b" " * sent


def send_what_is_taken(connection, data):
    """Sends until the server takes no more, be it that it has answered."""
    connection.setblocking(False)
    sent = 0
    while sent < len(data):
        readable, writable, _ = select.select([connection], [connection], [], 10)
        if readable or not writable:
            break
        try:
            sent += connection.send(data[sent : sent + 100_000])
        except (BlockingIOError, ConnectionError):
            break
    connection.settimeout(30)


def test_without_a_key_no_body_is_read():
    with Server(TINY_BGE_M3, "--api-key", "k") as server, ExitStack() as connections:
        before = anonymous_bytes(server)
        for _ in range(200):
            connection = connections.enter_context(server.connect())
            send_what_is_taken(connection, unfinished_body())
            assert connection.recv(12) == b"HTTP/1.1 401"
        assert anonymous_bytes(server) - before < 30 * MB


def test_without_a_key_no_body_is_asked_for():
    with Server(TINY_BGE_M3, "--api-key", "k") as server:
        answer = server.exchange(unfinished_body(sent=0, headers=b"Expect: 100-continue\r\n"))
        assert answer.startswith(b"HTTP/1.1 401 ")


def test_a_path_that_is_not_there_takes_no_body(minilm):
    answer = minilm.exchange(unfinished_body(sent=0).replace(b"/embed", b"/nowhere"))
    assert answer.startswith(b"HTTP/1.1 404 ")


def test_bodies_on_their_way_have_a_bound_together_and_go_back():
    with Server(TINY_BGE_M3) as server:
        server.post("/embed", json={"texts": ["warm"]})
        before = anonymous_bytes(server)
        with ExitStack() as connections:
            waiting = [connections.enter_context(server.connect()) for _ in range(100)]
            for connection in waiting:
                send_what_is_taken(connection, unfinished_body())
            for _ in range(60):  # 32 fit
                ready = select.select(waiting, [], [], PATIENCE_S)[0]
                status, headers, body = read_response(ready[0].makefile("rb"))
                assert status == 503
                assert headers["retry-after"]
                assert "together" in json.loads(body)["error"]
                waiting.remove(ready[0])
            assert anonymous_bytes(server) - before < 90 * MB  # 64 MB and what sockets hold
            # Small requests find no room either, and are told so.
        while (response := server.post("/embed", json={"texts": ["a"]})).status_code != 200:
            assert response.status_code == 503
        wait_for(lambda: anonymous_bytes(server) - before < 20 * MB)


def test_reading_bodies_of_many_values_has_a_bound():
    body = b'{"texts":[' + b"1," * 9_900_000 + b"1]}"
    request = b"POST /embed HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    with Server(TINY_BGE_M3) as server, ThreadPoolExecutor(3) as clients:
        before = peak_bytes(server)
        answers = list(clients.map(server.exchange, [request % len(body) + body] * 3))
        assert {answer[9:12] for answer in answers} <= {b"422", b"503"}
        assert peak_bytes(server) - before < 450 * MB  # 60 MB of bodies, and one that is read


def test_the_longest_list_of_openai_s_clients_fits_with_every_letter_escaped():
    # The last field is wrong, so that nothing of it is computed.
    text = "\u043f\u0440\u0438 " * 1000
    body = json.dumps({"input": [text] * 2048, "dimensions": 0}).encode()
    assert len(body) > 38 * MB
    largest = body.replace(b"\\u043f", b"\\u043f\\u043f", 1).ljust(49_152_000)
    with Server(TINY_BGE_M3) as server:
        before = peak_bytes(server)
        for each in (body, largest):
            response = server.post("/v1/embeddings", data=each)
            assert response.status_code == 422, response.text
            assert response.json()["error"]["param"] == "dimensions"
        assert peak_bytes(server) - before < 150 * MB
        response = server.post("/v1/embeddings", data=largest + b" ")
        assert response.status_code == 413
        many = b'{"input":[' + b"1," * 22_000_000 + b"1]}"
        response = server.post("/v1/embeddings", data=many)
        assert response.status_code == 413
        assert "send fewer values at a time" in response.json()["error"]["message"]
        assert peak_bytes(server) - before < 150 * MB


def test_answers_have_a_bound_together_and_go_back():
    text = "word " * 250
    body = json.dumps({"inputs": [text] * 30}).encode()  # 2.9 million numbers, 46 MB
    request = b"POST /embed_all HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with Server(MINILM, "--answer-limit", 100 * MB) as server:
        server.post("/embed_all", json={"inputs": [text]})
        before = anonymous_bytes(server)
        with ExitStack() as connections:
            statuses = []
            for _ in range(6):  # none of which reads its answer
                connection = connections.enter_context(server.connect())
                connection.sendall(request)
                statuses.append(connection.recv(12)[-3:])
            assert statuses == [b"200"] * 2 + [b"429"] * 4
            assert anonymous_bytes(server) - before < 130 * MB
        while (response := server.post("/embed_all", json={"inputs": [text]})).status_code != 200:
            assert response.status_code == 429
        wait_for(lambda: anonymous_bytes(server) - before < 40 * MB)


def test_a_sparse_answer_beyond_the_bound_is_not_asked_for_again():
    with Server(TINY_BGE_M3, "--answer-limit", 300) as server:
        response = server.post("/embed_sparse", json={"inputs": "a b c d e f g h i j k l m n"})
        assert response.status_code == 422, response.text
        assert "--answer-limit" in response.json()["error"]


def test_an_answer_beyond_the_bound_is_refused_before_it_is_computed():
    with Server(MINILM, "--answer-limit", MB) as server:
        response = server.post("/embed_all", json={"inputs": ["word " * 250] * 5})
        assert response.status_code == 422
        assert "fewer or shorter texts" in response.json()["error"]
        assert server.post("/embed", json={"texts": ["a"]}).status_code == 200
