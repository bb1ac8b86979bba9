"""What computes: replicas, and a device that does not answer, as a client and a service manager see them."""

import json
import re
import threading

from server import MINILM, PATIENCE_S, TINY_BGE_M3, Server, run, wait_for
from test_command_line import assert_fails


def texts(count, words):
    return [f"{i}" + " word" * words for i in range(count)]


def value_of(server, name):
    """The value of a line of /metrics."""
    return float(re.search(rf"^{re.escape(name)} (\S+)$", server.get("/metrics").text, re.M).group(1))


def in_background(call):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    return thread, answers


def test_replicas_share_the_threads_the_queue_and_what_they_compute():
    wanted = texts(60, 5)
    with Server(MINILM, "--threads", 1) as server:
        expected = server.post("/embed", {"texts": wanted}).json()["embeddings"]
    with Server(MINILM, "--threads", 3, "--replicas", 2, "--max-batch-tokens", 20, "--cache", 0) as server:
        asked = [in_background(lambda: server.post("/embed", {"texts": wanted}).json()) for _ in range(4)]
        for thread, answers in asked:
            thread.join(PATIENCE_S)
            assert answers[0]["embeddings"] == expected
        health = server.get("/health").json()
        assert health["status"] == "healthy" and health["device"] == "cpu"
        device = {"model": "all-MiniLM-L6-v2", "device": "cpu", "status": "healthy"}
        assert health["devices"] == [device, device]
        [model] = server.get("/info").json()["models"]
        assert model["replicas"] == 2
        assert model["products"] in (model["dtype"], "int8 slices")
        label = 'model="all-MiniLM-L6-v2",device="cpu",replica="%d"'
        computed = [value_of(server, "embedding_device_texts_total{%s}" % (label % i)) for i in (0, 1)]
        assert sum(computed) == 4 * 60 and min(computed) > 0
        assert value_of(server, "embedding_device_up{%s}" % (label % 1)) == 1


def test_more_replicas_than_there_are_threads():
    result = run("serve", "--model", TINY_BGE_M3, "--port", 0, "--replicas", 3, "--threads", 2)
    assert_fails(result, 5, "--replicas 3: there are 2 computing threads")


def test_a_device_that_does_not_answer_is_told_and_the_server_is_not_ready():
    arguments = ("--threads", 1, "--device-timeout", 1, "--max-batch-tokens", 1_000_000)
    with Server(MINILM, *arguments) as server:
        assert "devices" not in server.get("/health").json()
        thread, answers = in_background(lambda: server.post("/embed", {"texts": texts(60, 300)}))
        health = server.get("/health")
        while health.status_code == 200:
            assert not answers, "the batch took less than a second: send a longer one"
            health = server.get("/health")
        told = health.json()
        assert health.status_code == 503 and told["status"] == "unhealthy"
        assert "the device cpu has not answered for" in told["error"]
        assert told["devices"][0]["status"] == "hanging" and told["devices"][0]["since"].endswith("Z")
        assert server.get("/livez").status_code == 200
        thread.join(PATIENCE_S)
        assert answers[0].status_code == 200
        wait_for(lambda: server.get("/readyz").status_code == 200)


def test_a_device_that_does_not_answer_does_not_keep_the_process():
    """The batch would take minutes."""
    arguments = ("--threads", 1, "--max-batch-tokens", 10_000_000, "--max-client-batch-size", 4000)
    body = json.dumps({"texts": texts(4000, 300)}).encode()
    with Server(MINILM, *arguments, "--shutdown-timeout", 0) as server, server.connect() as connection:
        connection.sendall(b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        busy = 'embedding_device_busy_seconds{model="all-MiniLM-L6-v2",device="cpu",replica="0"}'
        wait_for(lambda: value_of(server, busy) > 0)
        assert server.stop() == 1
        assert "1 connections were cut" in server.stderr()
