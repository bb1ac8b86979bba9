"""start, stop, restart, status and logs: the server in the background."""

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading

import pytest
import requests

import gated_hub
from background import Background
from fake_hub import FakeHub
from gated_hub import GatedHub
from server import PATIENCE_S, TINY_BGE_M3, TINY_RERANKER
from test_download_command import small_disk  # noqa: F401
from test_lifecycle import wait_for


@pytest.fixture
def background(tmp_path):
    with Background(tmp_path / "state") as it:
        yield it


def status(background, *arguments):
    result = background.run("status", "--json", *arguments)
    it = json.loads(result.stdout)
    assert result.returncode == (0 if it["running"] else 3)
    return it


def test_it_starts_and_stops(background):
    result = background.start()
    assert "Loading tiny-bge-m3 model..." in result.stdout
    assert f"Embedding service running on {background.url}" in result.stdout
    assert f"Process {background.pid} in the background" in result.stdout
    assert requests.get(f"{background.url}/health").json()["status"] == "healthy"

    it = status(background)
    assert it["pid"] == background.pid and it["url"] == background.url
    assert it["model"] == "tiny-bge-m3" and it["health"] == "healthy"
    assert it["memory_bytes"] > 1_000_000 and it["uptime_seconds"] >= 0
    text = background.run("status")
    assert text.returncode == 0 and f"process  {background.pid}" in text.stdout

    log = background.run("logs", "-n", 2)
    assert log.returncode == 0
    assert len(log.stdout.splitlines()) == 2 and "Try it" in log.stdout

    stopped = background.run("stop")
    assert stopped.returncode == 0 and "is stopped" in stopped.stdout
    assert status(background) == {"name": str(background.port), "running": False, "log_file": it["log_file"]}
    with pytest.raises(requests.ConnectionError):
        requests.get(background.url)
    again = background.run("stop")
    assert again.returncode == 0 and "does not run" in again.stdout


def test_nobody_else_can_look_at_it(background):
    background.start("--api-key", "s3cret")
    assert stat.S_IMODE(background.folder.stat().st_mode) == 0o700
    record = background.folder / f"{background.port}.json"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_it_survives_whoever_started_it(background):
    """It has a session of its own, nothing on its standard input, and no pipe of start's."""
    background.start()
    process = f"/proc/{background.pid}"
    assert os.getsid(background.pid) == background.pid
    assert os.readlink(f"{process}/fd/0") == "/dev/null"
    assert os.readlink(f"{process}/fd/2").endswith(".log")


def test_instances_have_names(background):
    background.start("--name", "one", "--port", 0)
    background.start("--name", "two", "--port", 0, model=TINY_RERANKER)
    assert status(background, "--name", "one")["model"] == "tiny-bge-m3"
    assert status(background, "--name", "two")["model"] == "tiny-reranker"
    result = background.run("status", "--name", "three")
    assert result.returncode == 3 and "--name takes: one, two" in result.stderr
    assert background.run("stop", "--name", "one").returncode == 0
    assert status(background, "--name", "two")["running"]
    assert background.run("stop", "--name", "three").returncode == 1


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "x" * 65])
def test_a_name_is_no_path(background, name):
    result = background.run("start", "--name", name, "--model", TINY_BGE_M3)
    assert result.returncode == 2 and "--name" in result.stderr


def test_a_free_port_wants_a_name(background):
    result = background.run("start", "--port", 0, "--model", TINY_BGE_M3)
    assert result.returncode == 2 and "--name" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--model", "/no/such/directory"], 3, "/no/such/directory"),
        (["--dtype", "f9"], 2, "--dtype"),
        (["--device", "toaster"], 5, "toaster"),
        (["--host", "192.0.2.1"], 4, "192.0.2.1"),
    ],
)
def test_what_cannot_start_says_why_with_the_code_of_serve(background, arguments, code, part):
    result = background.run("start", *arguments)
    assert result.returncode == code
    assert len(result.stderr.splitlines()) == 1 and part in result.stderr
    assert background.run("status").returncode == 3


def test_a_port_in_use(background):
    with socket.socket() as other:
        other.bind(("127.0.0.1", background.port))
        other.listen()
        result = background.run("start", "--model", TINY_BGE_M3)
    assert result.returncode == 4 and str(background.port) in result.stderr
    background.start()


def test_a_full_disk_is_said_before_anything_runs(small_disk):  # noqa: F811
    with Background(small_disk) as background:
        background.run("status")
        background.folder.mkdir(exist_ok=True)
        with open(small_disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
            while True:
                filler.write(bytes(4096))
        result = background.run("start", "--model", TINY_BGE_M3)
        assert result.returncode == 1 and "No space left on device" in result.stderr
        assert background.run("status").returncode == 3


def test_start_shows_a_download(tmp_path):
    with FakeHub(tmp_path, {"some-org/some-model": TINY_BGE_M3}) as hub, Background(tmp_path / "state") as background:
        background.env |= {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "0"}
        result = background.start(model="some-org/some-model")
        assert re.search(r"downloading \S+: \d+ of 1\d MB", result.stderr)


def test_of_two_starts_one_wins(background):
    both = [background.popen("start", "--model", TINY_BGE_M3) for _ in range(2)]
    outcomes = sorted((process.communicate(timeout=PATIENCE_S), process.returncode) for process in both)
    assert sorted(code for _, code in outcomes) == [0, 4]
    ((_, said), _) = next(outcome for outcome in outcomes if outcome[1] == 4)
    assert "runs already" in said or "is being started" in said
    assert status(background)["running"]


def test_a_killed_server_is_noticed_and_started_again(background):
    background.start()
    pid = background.pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: background.run("status").returncode == 3)
    assert f"process {pid} has ended without being stopped" in background.run("status").stdout
    background.start()
    assert background.pid != pid


def test_a_process_that_has_its_number_is_let_be(background):
    background.start()
    background.run("stop")
    foreign = subprocess.Popen(["sleep", "600"])
    try:
        path = background.folder / f"{background.port}.json"
        path.write_text(json.dumps({**background.record(), "pid": foreign.pid}))
        assert background.run("status").returncode == 3
        assert "does not run" in background.run("stop").stdout
        background.start()
        assert background.run("stop").returncode == 0
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_stop_while_it_loads(tmp_path):
    with GatedHub(TINY_BGE_M3) as hub, Background(
        tmp_path / "state", HF_ENDPOINT=hub.url, HF_HUB_CACHE=str(tmp_path / "hub"), HF_HUB_OFFLINE="0"
    ) as background:
        start = background.popen("start", "--model", gated_hub.MODEL)
        wait_for(lambda: (background.folder / f"{background.port}.json").exists())
        wait_for(lambda: status(background)["running"] and background.pid)
        assert status(background)["health"] == "starting"
        assert background.run("stop").returncode == 0
        _, said = start.communicate(timeout=PATIENCE_S)
        assert start.returncode == 1 and "stopped before it was ready" in said


def test_an_interrupted_start_leaves_nothing(tmp_path):
    with GatedHub(TINY_BGE_M3) as hub, Background(
        tmp_path / "state", HF_ENDPOINT=hub.url, HF_HUB_CACHE=str(tmp_path / "hub"), HF_HUB_OFFLINE="0"
    ) as background:
        start = background.popen("start", "--model", gated_hub.MODEL)
        assert start.stdout.readline() == f"Loading {gated_hub.MODEL} model...\n"
        start.send_signal(signal.SIGINT)
        _, said = start.communicate(timeout=PATIENCE_S)
        assert start.returncode == 130 and "interrupted" in said
        assert background.run("status").returncode == 3


def test_a_killed_start_leaves_a_whole_server(tmp_path):
    with GatedHub(TINY_BGE_M3) as hub, Background(
        tmp_path / "state", HF_ENDPOINT=hub.url, HF_HUB_CACHE=str(tmp_path / "hub"), HF_HUB_OFFLINE="0"
    ) as background:
        start = background.popen("start", "--model", gated_hub.MODEL)
        assert start.stdout.readline() == f"Loading {gated_hub.MODEL} model...\n"
        start.kill()
        start.communicate()
        assert status(background)["health"] == "starting"
        hub.gate.set()
        wait_for(lambda: status(background)["health"] == "healthy")
        assert status(background)["url"] == background.url
        result = background.run("restart")
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("ignored", [False, True])
def test_a_start_whose_terminal_goes_away(tmp_path, ignored):
    """It ends the server, unless the hangup is ignored (nohup)."""
    disposition = signal.SIG_IGN if ignored else signal.SIG_DFL
    with GatedHub(TINY_BGE_M3) as hub, Background(
        tmp_path / "state", HF_ENDPOINT=hub.url, HF_HUB_CACHE=str(tmp_path / "hub"), HF_HUB_OFFLINE="0"
    ) as background:
        start = background.popen(
            "start", "--model", gated_hub.MODEL, preexec_fn=lambda: signal.signal(signal.SIGHUP, disposition)
        )
        assert start.stdout.readline() == f"Loading {gated_hub.MODEL} model...\n"
        start.send_signal(signal.SIGHUP)
        if ignored:
            hub.gate.set()
        start.communicate(timeout=PATIENCE_S)
        assert start.returncode == (0 if ignored else 130)
        assert background.run("status").returncode == (0 if ignored else 3)


def test_stop_kills_what_does_not_end(background):
    background.start("--shutdown-timeout", 0)
    os.kill(background.pid, signal.SIGSTOP)
    result = background.run("stop")
    assert result.returncode == 0
    assert "has not ended within 5 s and is killed" in result.stderr
    assert "is killed" in result.stdout


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
    assert background.pid == before and status(background)["health"] == "healthy"
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


def offers(background):
    return sorted(path.name for path in background.folder.glob("*.sock"))


def test_a_killed_restart_whose_successor_serves_hinders_no_other(background, tmp_path):
    background.start()
    before = background.pid
    successor = background.folder / f"{background.port}.next"
    own = dict(background.env)
    with GatedHub(TINY_BGE_M3) as hub:
        background.env |= {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"}
        restart = background.popen("restart", "--model", gated_hub.MODEL)
        assert restart.stdout.readline() == f"Loading {gated_hub.MODEL} model...\n"
        restart.kill()
        restart.wait()
        hub.gate.set()
        wait_for(lambda: json.loads(successor.read_text())["url"] == background.url)
    background.env = own
    wait_for(lambda: len(offers(background)) == 2)
    with busy_clients(background):
        for _ in range(2):
            assert status(background)["pid"] == before
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


@pytest.mark.parametrize("next_command", ["restart", "stop"])
def test_what_a_killed_restart_leaves_is_cleared_away(background, tmp_path, next_command):
    background.start()
    before = background.pid
    with GatedHub(TINY_BGE_M3) as hub:
        background.env |= {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"}
        restart = background.popen("restart", "--model", gated_hub.MODEL)
        assert restart.stdout.readline() == f"Loading {gated_hub.MODEL} model...\n"
        restart.kill()
        restart.wait()
        leftover = json.loads((background.folder / f"{background.port}.next").read_text())["pid"]
        assert status(background)["pid"] == before  # which goes on
        assert background.run(next_command).returncode == 0
        wait_for(lambda: not background.runs(background.folder / f"{background.port}.next"))
        assert status(background)["running"] == (next_command == "restart")
        assert background.pid not in (before, leftover)


def test_an_interrupted_restart_leaves_the_server(background, tmp_path):
    background.start()
    before = background.pid
    with GatedHub(TINY_BGE_M3) as hub:
        background.env |= {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"}
        restart = background.popen("restart", "--model", gated_hub.MODEL)
        assert restart.stdout.readline() == f"Loading {gated_hub.MODEL} model...\n"
        restart.send_signal(signal.SIGINT)
        _, said = restart.communicate(timeout=PATIENCE_S)
        assert restart.returncode == 130 and "the server before goes on" in said
        assert status(background)["pid"] == before and status(background)["health"] == "healthy"


def log_of(background, lines):
    """An instance that was stopped, with a log of these lines."""
    background.start()
    background.run("stop")
    path = background.folder / f"{background.port}.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_logs_shows_the_last_lines_of_files_put_aside_too(background):
    path = log_of(background, ["5", "6"])
    path.with_suffix(".1.log").write_text("3\n4\n")
    path.with_suffix(".2.log").write_text("1\n2\n")
    assert background.run("logs", "-n", 5).stdout.split() == ["2", "3", "4", "5", "6"]
    assert background.run("logs", "-n", 1).stdout.split() == ["6"]
    assert background.run("logs").stdout.split() == ["1", "2", "3", "4", "5", "6"]


def test_logs_follows_over_rotation(background):
    path = log_of(background, ["1", "2"])
    follower = background.popen("logs", "-f", "-n", 1)
    seen = lambda: follower.stdout.readline().strip()  # noqa: E731
    assert seen() == "2"
    with open(path, "a") as file:
        file.write("3\n")
        file.flush()
        assert seen() == "3"
        file.write("4\n")  # and at once put aside, twice
    path.rename(path.with_suffix(".2.log"))
    path.with_suffix(".1.log").write_text("5\n")
    path.write_text("6\n")
    assert [seen(), seen(), seen()] == ["4", "5", "6"]
    with open(path, "a") as file:
        file.write("7\n")
    assert seen() == "7"
    follower.send_signal(signal.SIGINT)
    assert follower.wait(PATIENCE_S) == -signal.SIGINT
    assert follower.stderr.read() == ""


def test_logs_ends_with_its_reader(background):
    path = log_of(background, ["1"])
    follower = background.popen("logs", "-f")
    assert follower.stdout.readline() == "1\n"
    follower.stdout.close()
    with open(path, "a") as file:
        file.write("2\n")
    assert follower.wait(PATIENCE_S) == 0


def test_a_file_of_options_is_for_all_commands(background, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'model = "{TINY_BGE_M3}"\nport = {background.port}\nmax-queue = 77\n')
    background.env["EMBEDDING_SERVICE_CONFIG"] = str(config)
    background.env["EMBEDDING_SERVICE_MAX_QUEUE"] = "78"
    assert background.run("start", "--name", "a").returncode == 0
    for command in ("status", "logs", "stop"):
        result = background.run(command, "--name", "a")
        assert result.returncode == 0 and result.stderr == "", command
