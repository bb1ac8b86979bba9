"""Starting, being ready, and stopping without losing an answer."""

import json
import os
import re
import signal
import socket
import threading
import time

import gated_hub
from gated_hub import WEIGHTS, GatedHub
from server import (
    DATA,
    MINILM,
    PATIENCE_S,
    TINY_BGE_M3,
    Server,
    environment,
    read_response,
    run,
    wait_for,
)
from test_dialects import ROUTES, message_of


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_start_up_prints_its_lines_and_nothing_else():
    with Server(MINILM) as server:
        assert server.stdout().splitlines() == [
            "Loading all-MiniLM-L6-v2 model...",
            "Model loaded on device: cpu",
            f"Embedding service running on {server.url}",
            f"Try it: {server.url}/",
        ]
        assert server.get("/health").json() == {
            "status": "healthy",
            "model": "all-MiniLM-L6-v2",
            "device": "cpu",
            "dimension": 384,
        }
        assert server.get("/readyz").status_code == 200
        assert server.get("/livez").status_code == 200


def test_a_directory_is_called_by_its_last_part():
    with Server(f"{MINILM.parent}/./{MINILM.name}/") as server:
        assert server.get("/health").json()["model"] == "all-MiniLM-L6-v2"


def test_sigint_ends_it_well_too():
    with Server(TINY_BGE_M3) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(PATIENCE_S) == 0


def test_sigterm_closes_idle_connections():
    with Server(TINY_BGE_M3) as server:
        with server.connect() as idle:
            idle.sendall(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n")
            stream = idle.makefile("rb")
            assert read_response(stream)[0] == 200
            assert server.stop() == 0
            assert stream.read() == b""


def test_sigterm_lets_requests_in_hand_finish():
    text = "a long text to keep the engine busy " * 40
    body = json.dumps({"texts": [f"{i} {text}" for i in range(10)]}).encode()
    head = b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body)
    with Server(MINILM) as server:
        connections = [server.connect() for _ in range(3)]
        for connection in connections:
            connection.sendall(head + body[:-1])
        # Their headers have been read when a later request has been answered.
        assert server.get("/livez").status_code == 200
        server.process.terminate()
        wait_for(lambda: refused(server))
        for connection in connections:
            connection.sendall(body[-1:])
        for connection in connections:
            status, headers, answer = read_response(connection.makefile("rb"))
            assert status == 200
            assert headers["connection"] == "close"
            assert len(json.loads(answer)["embeddings"]) == 10
            connection.close()
        assert server.process.wait(PATIENCE_S) == 0


def refused(server):
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # while the listening socket is being closed
        return False
    return False


def test_what_does_not_finish_in_time_is_cut():
    with Server(TINY_BGE_M3, "--shutdown-timeout", 0) as server:
        with server.connect() as connection:
            connection.sendall(b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")
            assert server.get("/livez").status_code == 200
            assert server.stop() == 1
        assert "shutdown timeout" in server.stderr()


def test_a_second_signal_ends_it_at_once():
    with Server(TINY_BGE_M3) as server:
        with server.connect() as connection:
            connection.sendall(b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")
            assert server.get("/livez").status_code == 200
            server.process.terminate()
            wait_for(lambda: refused(server))
            wait_for(lambda: server.process.terminate() or server.process.poll() is not None)
            assert server.process.returncode == -signal.SIGTERM


def test_signals_that_come_together_are_one():
    """A terminal's Ctrl-C, which npx and the launcher of npm's package pass on too."""
    body = b'{"texts":["a"]}'
    with Server(TINY_BGE_M3) as server:
        with server.connect() as connection:
            connection.sendall(b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body))
            assert server.get("/livez").status_code == 200
            for _ in range(2):
                server.process.send_signal(signal.SIGINT)
                wait_for(lambda: refused(server))
            connection.sendall(body)
            assert read_response(connection.makefile("rb"))[0] == 200
        assert server.process.wait(PATIENCE_S) == 0


def test_they_are_one_while_an_idle_server_clears_away_too():
    for _ in range(5):
        with Server(MINILM) as server:
            server.process.send_signal(signal.SIGINT)
            wait_for(lambda: refused(server))
            while server.process.poll() is None:
                server.process.send_signal(signal.SIGINT)
            assert server.process.returncode == 0


def loading_server(hub, cache):
    """A server whose model comes from the hub: it loads until the hub's gate opens."""
    env = environment(HF_ENDPOINT=hub.url, HF_HUB_CACHE=str(cache))
    del env["HF_HUB_OFFLINE"]
    server = Server(gated_hub.MODEL, port=free_port(), env=env, wait=False)
    wait_for(lambda: not refused(server))
    return server


def test_it_answers_503_until_the_model_is_loaded(tmp_path):
    with GatedHub(TINY_BGE_M3) as hub, loading_server(hub, tmp_path) as server:
        assert server.get("/livez").status_code == 200
        for path in ("/health", "/readyz"):
            response = server.get(path)
            assert response.status_code == 503
            assert response.json() == {"status": "loading", "model": gated_hub.MODEL}
            assert response.headers["retry-after"]
        for path, body in {**ROUTES, "/tokenize": {"inputs": "a"}}.items():
            response = server.post(path, body)
            assert response.status_code == 503
            assert response.headers["retry-after"]
            assert "loading" in message_of(path, response.json())
        assert server.post("/embed", {"texts": "a"}).json()["error_type"] == "Unhealthy"
        hub.gate.set()
        wait_for(lambda: server.get("/readyz").status_code == 200)
        assert server.get("/health").json()["model"] == gated_hub.MODEL
        assert server.post("/embed", {"texts": ["a"]}).json()["model"] == gated_hub.MODEL


def test_health_tells_how_far_a_download_is(tmp_path):
    with GatedHub(TINY_BGE_M3) as hub:
        hub.second_half.clear()
        with loading_server(hub, tmp_path) as server:
            hub.gate.set()
            # To the last byte that has arrived, though nothing more comes: files come in the order of their names.
            sizes = {str(path.relative_to(TINY_BGE_M3)): path.stat().st_size for path in TINY_BGE_M3.rglob("*.*")}
            arrived = sum(size for name, size in sizes.items() if name < WEIGHTS) + sizes[WEIGHTS] // 2
            told = {"file": WEIGHTS, "done_bytes": arrived, "total_bytes": sum(sizes.values())}
            wait_for(lambda: server.get("/health").json().get("download") == told)
            assert server.get("/health").json()["status"] == "loading"
            hub.second_half.set()
            wait_for(lambda: server.get("/readyz").status_code == 200)


def test_a_taken_port_is_told_with_who_has_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--model", TINY_BGE_M3, "--port", port)
    assert result.returncode == 4
    assert f"127.0.0.1:{port}" in result.stderr
    assert re.search(rf"by \S+ \(process {os.getpid()}\); stop that or choose another --port", result.stderr)


def test_sigterm_while_loading_ends_it_at_once(tmp_path):
    with GatedHub(TINY_BGE_M3) as hub, loading_server(hub, tmp_path) as server:
        assert server.stop() == 0


def test_a_load_that_fails_ends_it(tmp_path):
    with GatedHub(DATA / "expected") as hub, loading_server(hub, tmp_path) as server:
        with server.connect() as idle:
            hub.gate.set()
            assert server.process.wait(PATIENCE_S) == 3
            assert idle.recv(1) == b""
        assert gated_hub.MODEL in server.stderr()
