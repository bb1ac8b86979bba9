"""Replacing a server in the background by another, under load and when it fails."""

import contextlib
import json
import os
import signal
import threading

import pytest
import requests

import gated_hub
from background import Background
from fake_hub import FakeHub
from gated_hub import GatedHub
from server import PATIENCE_S, TINY_BGE_M3
from test_lifecycle import wait_for


def test_restart_keeps_the_options_and_replaces_those_given(background):
    background.start("--max-client-batch-size", 3, "--strict-model")
    before = background.pid
    result = background.run("restart", "--max-client-batch-size", 5, cwd="/")
    assert result.returncode == 0, result.stderr
    assert background.pid != before
    assert set(background.record()["arguments"]) == {
        f"--model={TINY_BGE_M3}", "--strict-model=true", f"--port={background.port}",
        "--max-client-batch-size=5",
    }  # fmt: skip
    answer = requests.post(f"{background.url}/embed", json={"texts": ["a"] * 6})
    assert "maximum allowed batch size 5" in answer.json()["error"]


def test_restart_keeps_the_environment_and_the_directory(tmp_path):
    (tmp_path / "model").symlink_to(TINY_BGE_M3)
    with Background(tmp_path / "state", EMBEDDING_SERVICE_API_KEY="s3cret") as background:
        assert background.run("start", "--model", "model", cwd=tmp_path).returncode == 0
        del background.env["EMBEDDING_SERVICE_API_KEY"]
        result = background.run("restart", cwd="/")
        assert result.returncode == 0, result.stderr
        assert requests.get(f"{background.url}/info").status_code == 401


def test_restart_keeps_where_models_come_from(tmp_path):
    with FakeHub(tmp_path, {"some-org/some-model": TINY_BGE_M3}) as hub, Background(tmp_path / "state") as background:
        own = dict(background.env)
        background.env |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"}
        background.start(model="some-org/some-model")
        background.env = {**own, "HF_HUB_OFFLINE": "1"}
        result = background.run("restart")
        assert result.returncode == 0, result.stderr
        kept = background.record()["environment"]
        assert f"HF_HOME={tmp_path / 'hub'}" in kept and f"HF_ENDPOINT={hub.url}" in kept
        assert "HF_HUB_OFFLINE=1" in kept  # given anew


def test_restart_prints_what_would_be_in_force(background):
    background.start("--max-client-batch-size", 3)
    before = background.record()
    result = background.run("restart", "--print-config", "--max-queue", 77)
    assert result.returncode == 0, result.stderr
    shown = result.stdout.splitlines()
    assert any(line.startswith("max-client-batch-size = 3") for line in shown)
    assert any(line.startswith("max-queue = 77") for line in shown)
    assert background.record() == before


def test_restart_starts_what_was_stopped(background):
    background.start("--max-client-batch-size", 3)
    background.run("stop")
    assert background.run("restart").returncode == 0
    answer = requests.post(f"{background.url}/embed", json={"texts": ["a"] * 6})
    assert "maximum allowed batch size 3" in answer.json()["error"]


def test_a_restart_that_fails_leaves_the_server(background):
    background.start()
    before = background.pid
    result = background.run("restart", "--model", "/no/such/directory")
    assert result.returncode == 3
    assert "/no/such/directory" in result.stderr and "the server before goes on" in result.stderr
    assert background.pid == before and background.status()["health"] == "healthy"
    assert background.run("restart").returncode == 0


@contextlib.contextmanager
def busy_clients(background):
    """64 of them, none of whose requests may be lost. Gives what has been answered so far."""
    stop = threading.Event()
    answers = []
    lost = []

    def client(number):
        with requests.Session() as session:
            while not stop.is_set():
                try:
                    answer = session.post(
                        f"{background.url}/embed", json={"texts": [f"{number} and more"]}, timeout=PATIENCE_S
                    )
                    answers.append((answer.status_code, "retry-after" in answer.headers))
                except requests.RequestException as error:
                    lost.append(repr(error))

    clients = [threading.Thread(target=client, args=[i]) for i in range(64)]
    for thread in clients:
        thread.start()
    try:
        wait_for(lambda: len(answers) > 640)
        yield answers
        seen = len(answers)
        wait_for(lambda: len(answers) > seen + 640)
    finally:
        stop.set()
        for thread in clients:
            thread.join()
    assert lost == []
    assert {code for code, _ in answers} <= {200, 503}
    assert all(retry for code, retry in answers if code == 503)


def test_restart_loses_no_request_of_64_clients(background):
    background.start()
    with busy_clients(background) as answers:
        for _ in range(2):
            before = background.pid
            result = background.run("restart")
            assert result.returncode == 0, result.stderr
            assert background.pid != before
            seen = len(answers)
            wait_for(lambda: len(answers) > seen + 640)


@contextlib.contextmanager
def loading_restart(background, tmp_path):
    """(the command, the hub): a restart whose successor waits for its model until hub.gate is set."""
    with GatedHub(TINY_BGE_M3) as hub:
        background.env |= {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"}
        restart = background.popen("restart", "--model", gated_hub.MODEL)
        assert restart.stdout.readline() == f"Loading {gated_hub.MODEL} model...\n"
        yield restart, hub


def offers(background):
    return sorted(path.name for path in background.folder.glob("*.sock"))


def test_a_killed_restart_whose_successor_serves_hinders_no_other(background, tmp_path):
    background.start()
    before = background.pid
    successor = background.folder / f"{background.port}.next"
    own = dict(background.env)
    with loading_restart(background, tmp_path) as (restart, hub):
        restart.kill()
        restart.wait()
        hub.gate.set()
        wait_for(lambda: json.loads(successor.read_text())["url"] == background.url)
    background.env = own
    wait_for(lambda: len(offers(background)) == 2)
    with busy_clients(background):
        for _ in range(2):
            assert background.status()["pid"] == before
            result = background.run("restart")
            assert result.returncode == 0, result.stderr
            before = background.pid
    assert not background.runs(successor)
    assert offers(background) == [f"{background.port}.{before}.sock"]


def test_restart_says_that_the_server_is_stuck(background):
    background.start("--shutdown-timeout", 0)
    os.kill(background.pid, signal.SIGSTOP)
    result = background.run("restart")
    assert result.returncode != 0
    assert "does not answer" in result.stderr and "embedding-service stop ends it" in result.stderr
    assert background.run("stop").returncode == 0
    assert offers(background) == []
    background.start()


@pytest.mark.parametrize("next_command", ["restart", "stop", "start"])
def test_what_a_killed_restart_leaves_is_cleared_away(background, tmp_path, next_command):
    background.start()
    before = background.pid
    with loading_restart(background, tmp_path) as (restart, hub):
        restart.kill()
        restart.wait()
        leftover = json.loads((background.folder / f"{background.port}.next").read_text())["pid"]
        assert background.status()["pid"] == before  # which goes on
        if next_command == "start":
            os.kill(before, signal.SIGKILL)
            wait_for(lambda: not background.status()["running"])
        arguments = ["--model", TINY_BGE_M3] if next_command == "start" else []
        assert background.run(next_command, *arguments).returncode == 0
        wait_for(lambda: not background.runs(background.folder / f"{background.port}.next"))
        assert background.status()["running"] == (next_command != "stop")
        assert background.pid not in (before, leftover)


def test_an_interrupted_restart_leaves_the_server(background, tmp_path):
    background.start()
    before = background.pid
    with loading_restart(background, tmp_path) as (restart, hub):
        restart.send_signal(signal.SIGINT)
        _, said = restart.communicate(timeout=PATIENCE_S)
        assert restart.returncode == 130 and "the server before goes on" in said
        assert background.status()["pid"] == before and background.status()["health"] == "healthy"
