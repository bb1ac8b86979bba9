"""--log-level, --log-format, --log-file: what is written where."""

import json
import re
import subprocess

import pytest

from server import TINY_BGE_M3, Server, run
from test_download_command import small_disk  # noqa: F401

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
NO_MODEL = ("--model", "/no/such/directory")


def test_the_file_has_what_start_up_prints_and_what_is_logged(tmp_path):
    log = tmp_path / "server.log"
    with Server(TINY_BGE_M3, "--log-file", log) as server:
        lines = log.read_text().splitlines()
        assert all(re.match(r"\[\d{4}-\d\d-\d\d [\d:]+\.\d{3}\] \[\S+\] \[info\] ", line) for line in lines)
        text = log.read_text()
        for printed in server.stdout().splitlines():
            assert printed in text
        assert "beside the mapped files" in text and "beside the mapped files" in server.stderr()


def test_json_lines(tmp_path):
    log = tmp_path / "server.log"
    model = tmp_path / 'a "model"\\ of mine'
    model.symlink_to(TINY_BGE_M3)
    with Server(model, "--log-file", log, "--log-format", "json") as server:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        for line in lines:
            assert list(line) == ["time", "level", "message"]
            assert re.fullmatch(TIME, line["time"]) and line["level"] == "info"
        messages = [line["message"] for line in lines]
        for printed in server.stdout().splitlines():
            assert printed in messages
        assert all(json.loads(line) for line in server.stderr().splitlines())


@pytest.mark.parametrize("level", ["trace", "debug", "info"])
def test_levels_that_show_what_is_loaded(level):
    with Server(TINY_BGE_M3, "--log-level", level) as server:
        assert "beside the mapped files" in server.stderr()


@pytest.mark.parametrize("level", ["warn", "error"])
def test_levels_that_do_not(level):
    with Server(TINY_BGE_M3, "--log-level", level) as server:
        assert server.stderr() == ""


def test_an_error_that_ends_it_is_in_the_file(tmp_path):
    log = tmp_path / "server.log"
    result = run("serve", "--port", 0, *NO_MODEL, "--log-file", log)
    assert result.returncode == 3
    assert result.stderr.removeprefix("embedding-service: ").strip() in log.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--log-level", "loud"], 2, "--log-level: expected one of trace, debug, info, warn, error"),
        (["--log-format", "xml"], 2, "--log-format: expected one of text, json"),
        (["--log-file", "/proc/nope/server.log"], 1, "--log-file"),
        (["--log-file-size", "10"], 2, "--log-file-size"),
        (["--log-files", "0"], 2, "--log-files"),
    ],
)
def test_wrong_options(arguments, code, part):
    result = run("serve", "--port", 0, *NO_MODEL, *arguments)
    assert result.returncode == code and part in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_full_disk_is_told_once_and_costs_no_request(small_disk):  # noqa: F811
    (small_disk / "filler").write_bytes(b"")
    log = small_disk / "server.log"
    with open(small_disk / "filler", "wb") as filler:
        subprocess.run(["dd", "if=/dev/zero", f"of={small_disk}/filler", "bs=4k"], capture_output=True)
        filler.flush()
    with Server(TINY_BGE_M3, "--log-file", log) as server:
        for _ in range(10):
            assert server.post("/embed", {"texts": ["a"]}).status_code == 200
        told = [line for line in server.stderr().splitlines() if "the log cannot be written" in line]
        assert len(told) == 1 and "No space left" in told[0]
