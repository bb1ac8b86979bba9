"""`embedding-service download`: on a terminal and off it, interrupted, by two at once, on a full disk."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest

from fake_hub import FakeHub
from server import BINARY, PATIENCE_S, TINY_BGE_M3, run
from test_lifecycle import wait_for

MODEL = "some-org/some-model"
WEIGHTS = "pytorch_model.bin"


def sizes_of_incomplete(cache):
    """Of the files that are on their way, of which one may arrive at any moment."""
    sizes = []
    for path in cache.rglob("*.incomplete"):
        with contextlib.suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return sizes


def test_it_says_where_the_model_is(tmp_path):
    with FakeHub(tmp_path, {MODEL: TINY_BGE_M3}) as hub:
        env = hub.environment(tmp_path / "cache")
        result = run("download", MODEL, env=env)
        assert result.returncode == 0, result.stderr
        where = re.fullmatch(rf"{MODEL} is in (\S+) \((\d+) MB\)\n", result.stdout)
        assert where and os.path.exists(f"{where[1]}/{WEIGHTS}") and int(where[2]) in (11, 12)
        # No terminal: lines, and no escapes.
        assert "MB/s" in result.stderr and "\x1b" not in result.stderr and "\r" not in result.stderr
        assert run("download", MODEL, env=env).returncode == 0
        assert len(hub.requests("GET", WEIGHTS)) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        ([], 2, "which model?"),
        (["a/b", "c/d"], 2, "one ID is enough"),
        (["no-org/no-model"], 3, "no-org/no-model"),
        ([MODEL, "--revision", "nope"], 3, "nope"),
        ([MODEL, "--revision", "a b"], 2, "--revision"),
    ],
)
def test_what_cannot_be_downloaded(tmp_path, arguments, code, part):
    with FakeHub(tmp_path, {MODEL: TINY_BGE_M3}) as hub:
        result = run("download", *arguments, env=hub.environment(tmp_path / "cache"))
        assert result.returncode == code and part in result.stderr
        assert len(result.stderr.splitlines()) == 1 and result.stdout == ""


def on_a_terminal(columns, *arguments, env, stdin=None):
    """What is written to a terminal of that many columns."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([BINARY, *arguments], env=env, stdin=stdin, stderr=its, stdout=subprocess.DEVNULL)
    os.close(its)
    written = b""
    try:
        while chunk := os.read(mine, 65536):
            written += chunk
    except OSError:  # as Linux tells the end
        pass
    os.close(mine)
    assert process.wait(PATIENCE_S) == 0
    return written.decode()


def drawings(written):
    return [re.sub(r"\x1b\[K", "", drawn).rstrip("\r\n") for drawn in written.split("\r") if drawn.strip()]


@pytest.mark.parametrize("columns", [120, 60, 20])
def test_a_terminal_gets_a_bar_as_wide_as_it_is(tmp_path, columns):
    with FakeHub(tmp_path, {MODEL: TINY_BGE_M3}) as hub:
        env = hub.environment(tmp_path / "cache", TERM="xterm")
        env.pop("NO_COLOR", None)
        written = on_a_terminal(columns, "download", MODEL, env=env)
    drawn = drawings(written)
    assert len(drawn) > 1
    assert all(len(line) < columns for line in drawn), drawn
    assert written.count("\n") == 1  # all of it in one line
    assert written.count("\x1b[K") == len(drawn)
    if columns == 120:
        assert re.search(r"\d+ of 12 MB  [\d.]+ MB/s  \[#{40}\]", drawn[-1])
        # Each file is named as it comes, for it may stand still with any.
        assert {line.split(" ")[0] for line in drawn} == {
            str(path.relative_to(TINY_BGE_M3)) for path in TINY_BGE_M3.rglob("*") if path.is_file()
        }


@pytest.mark.parametrize("variable", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}])
def test_a_terminal_without_escapes_gets_lines(tmp_path, variable):
    with FakeHub(tmp_path, {MODEL: TINY_BGE_M3}) as hub:
        written = on_a_terminal(80, "download", MODEL, env=hub.environment(tmp_path / "cache", **variable))
    assert "\x1b" not in written and "MB/s" in written


def test_killed_in_the_middle_it_goes_on_from_there(tmp_path):
    half = 5_000_000
    with FakeHub(tmp_path, {MODEL: TINY_BGE_M3}, stall={WEIGHTS: half}) as hub:
        cache = tmp_path / "cache"
        env = hub.environment(cache, HF_HUB_DOWNLOAD_TIMEOUT="100")
        first = subprocess.Popen([BINARY, "download", MODEL], env=env, stderr=subprocess.DEVNULL)
        wait_for(lambda: half in sizes_of_incomplete(cache))
        first.send_signal(signal.SIGKILL)
        first.wait()
        result = run("download", MODEL, env=env)
        assert result.returncode == 0, result.stderr
        assert [r["range"] for r in hub.requests("GET", WEIGHTS)] == ["", f"bytes={half}-"]
        (whole,) = cache.rglob(f"snapshots/*/{WEIGHTS}")
        assert whole.read_bytes() == (TINY_BGE_M3 / WEIGHTS).read_bytes()
        assert list(cache.rglob("*.incomplete")) == []


def test_two_at_once_download_it_once(tmp_path):
    # The first stands still in the middle until the second waits for its lock: then it is let go on
    # by the time-out, after which it asks for the rest.
    with FakeHub(tmp_path, {MODEL: TINY_BGE_M3}, stall={WEIGHTS: 1_000_000}) as hub:
        cache = tmp_path / "cache"
        env = hub.environment(cache, HF_HUB_DOWNLOAD_TIMEOUT="2")
        both = [
            subprocess.Popen([BINARY, "download", MODEL], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        for process in both:
            _, said = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, said
        assert [r["range"] for r in hub.requests("GET", WEIGHTS)] == ["", "bytes=1000000-"]
        (whole,) = cache.rglob(f"snapshots/*/{WEIGHTS}")
        assert whole.read_bytes() == (TINY_BGE_M3 / WEIGHTS).read_bytes()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MB."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", where], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.decode().strip()}")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def test_a_disk_that_is_too_small_is_said_at_once(tmp_path, small_disk):
    with FakeHub(tmp_path, {MODEL: TINY_BGE_M3}) as hub:
        result = run("download", MODEL, env=hub.environment(small_disk / "cache"))
        assert result.returncode == 3
        assert "the disk is too full" in result.stderr and "HF_HUB_CACHE" in result.stderr
        assert hub.requests("GET", WEIGHTS) == []


def test_a_disk_that_fills_up_loses_nothing(tmp_path, small_disk):
    """What arrived is gone on from when there is room."""
    filler = small_disk / "filler"
    with FakeHub(tmp_path, {MODEL: TINY_BGE_M3}, stall={WEIGHTS: 1_000_000}) as hub:
        cache = small_disk / "cache"
        subprocess.run(["mount", "-o", "remount,size=16m", small_disk], check=True)
        env = hub.environment(cache, HF_HUB_DOWNLOAD_TIMEOUT="3")
        download = subprocess.Popen([BINARY, "download", MODEL], env=env, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: 1_000_000 in sizes_of_incomplete(cache))
        filler.write_bytes(bytes(9_000_000))
        _, said = download.communicate(timeout=PATIENCE_S)
        assert download.returncode == 3 and "the disk is full; make room" in said
        filler.unlink()
        assert run("download", MODEL, env=env).returncode == 0
