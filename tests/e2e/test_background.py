"""start, stop, restart, status and logs: the server in the background."""

import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest
import requests

import gated_hub
from background import Background
from fake_hub import FakeHub
from gated_hub import GatedHub
from server import PATIENCE_S, TINY_BGE_M3, TINY_RERANKER
from test_download_command import small_disk  # noqa: F401
from test_lifecycle import wait_for


def test_it_starts_and_stops(background):
    result = background.start()
    assert "Loading tiny-bge-m3 model..." in result.stdout
    assert f"Embedding service running on {background.url}" in result.stdout
    assert f"Process {background.pid} in the background" in result.stdout
    assert requests.get(f"{background.url}/health").json()["status"] == "healthy"

    it = background.status()
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
    assert background.status() == {"name": str(background.port), "running": False, "log_file": it["log_file"]}
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
    if os.path.isdir("/proc/self"):  # of Linux
        assert os.readlink(f"{process}/fd/0") == "/dev/null"
        assert os.readlink(f"{process}/fd/2").endswith(".log")


def test_instances_have_names(background):
    background.start("--name", "one", "--port", 0)
    background.start("--name", "two", "--port", 0, model=TINY_RERANKER)
    assert background.status("--name", "one")["model"] == "tiny-bge-m3"
    assert background.status("--name", "two")["model"] == "tiny-reranker"
    result = background.run("status", "--name", "three")
    assert result.returncode == 3 and "--name takes: one, two" in result.stderr
    assert background.run("stop", "--name", "one").returncode == 0
    assert background.status("--name", "two")["running"]
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
    assert background.status()["running"]


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
        wait_for(lambda: background.status()["running"] and background.pid)
        assert background.status()["health"] == "starting"
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
        assert background.status()["health"] == "starting"
        hub.gate.set()
        wait_for(lambda: background.status()["health"] == "healthy")
        assert background.status()["url"] == background.url
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
