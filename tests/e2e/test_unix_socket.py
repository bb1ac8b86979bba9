"""Listening on a UNIX socket."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess

import pytest
import requests
from background import Background
from certificates import make_certificate
from nginx import Nginx
from server import PATIENCE_S, TINY_BGE_M3, Server, run, wait_for


class UnixServer(Server):
    def __init__(self, path, *arguments, **options):
        self.path = path
        super().__init__(TINY_BGE_M3, "--unix-socket", path, *arguments, port=None, **options)

    def post(self, path, body):
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE_S)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.path))
        connection.request("POST", path, json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("s") / "embedding.sock"


def test_answers_there_and_nowhere_else(path):
    with UnixServer(path) as server:
        assert f"running on unix:{path}\n" in server.stdout()
        status, answer = server.post("/embed", {"texts": ["a"]})
        assert status == 200 and len(answer["embeddings"]) == 1
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True).stdout
        assert f"pid={server.process.pid}," not in listening
        [advice] = [line for line in server.stdout().splitlines() if line.startswith("Try it: ")]
        told = subprocess.run(
            advice.removeprefix("Try it: "), shell=True, capture_output=True, text=True)
        assert json.loads(told.stdout)["status"] == "healthy"
    assert not path.exists()


def test_takes_the_place_of_a_server_that_was_killed_but_not_of_one_that_runs(path):
    first = UnixServer(path)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    assert path.exists()
    with UnixServer(path) as second:
        result = run("serve", "--model", TINY_BGE_M3, "--unix-socket", path)
        assert result.returncode == 4 and "another process listens there" in result.stderr
        assert second.post("/embed", {"texts": ["a"]})[0] == 200


def test_leaves_alone_what_is_no_socket_of_its_own(path):
    path.write_text("a letter")
    result = run("serve", "--model", TINY_BGE_M3, "--unix-socket", path)
    assert result.returncode == 2 and "no socket" in result.stderr
    assert path.read_text() == "a letter"
    result = run("serve", "--model", TINY_BGE_M3, "--unix-socket", path.parent / ("x" * 120))
    assert result.returncode == 2 and "too long" in result.stderr
    result = run("serve", "--model", TINY_BGE_M3, "--unix-socket", path.parent / "none" / "s")
    assert result.returncode == 4 and "No such file" in result.stderr


def test_a_restart_takes_it_over(path, tmp_path):
    with Background(tmp_path) as background:
        background.start("--unix-socket", path, "--name", "unix")
        try:
            assert f'"url": "unix:{path}"' in background.run("status", "--name", "unix", "--json").stdout.replace(
                '":"', '": "')
            before = path.stat().st_ino
            result = background.run("restart", "--name", "unix")
            assert result.returncode == 0, result.stderr
            assert path.stat().st_ino == before
            status = background.run("status", "--name", "unix")
            assert status.returncode == 0 and "healthy" in status.stdout, status.stdout
        finally:
            background.run("stop", "--name", "unix")
    assert not path.exists()


def test_nginx_with_tls_stands_in_front_of_it(path, tmp_path):
    certificate = make_certificate(tmp_path)
    forwarded = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    with UnixServer(path, "--trusted-proxy", "unix", "--access-log") as server:
        with Nginx(tmp_path, f"http://unix:{path}", forwarded, certificate) as nginx:
            body = {"texts": ["a", "Пример"]}
            answer = requests.post(
                nginx.url + "/embed", json=body, verify=certificate[0], timeout=PATIENCE_S)
            assert answer.json()["embeddings"] == server.post("/embed", body)[1]["embeddings"]
        wait_for(lambda: server.stderr().count(" /embed 200 ") == 2)
        through, direct = [line for line in server.stderr().splitlines() if " /embed 200 " in line]
        assert " address=127.0.0.1 " in through and "127.0.0.1" not in direct
