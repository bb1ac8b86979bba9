"""What the server is started in: standard streams that are closed, full or have no reader, a terminal
that goes, and limits of the system."""

import os
import re
import resource
import signal
import subprocess
from contextlib import contextmanager

import pytest
import requests

from server import BINARY, PATIENCE_S, TINY_BGE_M3, Server, run, wait_for
from test_lifecycle import free_port

NO_MODEL = ("--model", "/no/such/directory")
STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}


def is_ready(server):
    assert server.process.poll() is None, f"ended with {server.process.returncode}"
    try:
        return server.get("/readyz").status_code == 200
    except requests.ConnectionError:
        return False


@contextmanager
def started(**popen):
    """A server whose output is nobody's business; its port is taken beforehand."""
    with Server(TINY_BGE_M3, port=free_port(), wait=False, **popen) as server:
        wait_for(lambda: is_ready(server))
        yield server


def assert_serves_and_stops_well(server):
    assert len(server.post("/embed", {"texts": ["a"]}).json()["embeddings"]) == 1
    with server.connect() as connection:  # one more line is logged: how many are open
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n")
        assert server.get("/livez").status_code == 200
        server.process.terminate()
        connection.sendall(b"x")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        assert re.fullmatch(rb"HTTP/1.1 200 OK\r\n(?:[\w-]+: [^\r\n]*\r\n)+\r\n.*", answer)
    assert server.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("streams", [["stdout"], ["stderr"], ["stdout", "stderr"]], ids="+".join)
def test_it_outlives_the_reader_of_its_output(streams):
    reader = subprocess.Popen(["head", "-n", "1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    with started(**dict.fromkeys(streams, reader.stdin)) as server:
        reader.stdin.close()
        if "stdout" in streams:
            assert reader.wait(PATIENCE_S) == 0
        else:  # which says nothing until it stops
            reader.kill()
            reader.wait()
        assert_serves_and_stops_well(server)


@pytest.mark.parametrize("streams", [["stdout"], ["stderr"], ["stdout", "stderr"]], ids="+".join)
def test_it_outlives_a_reader_that_was_never_there(streams):
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        with started(**dict.fromkeys(streams, write_end)) as server:
            assert_serves_and_stops_well(server)
    finally:
        os.close(write_end)


@pytest.mark.parametrize("streams", [["stdout"], ["stderr"], ["stdout", "stderr"]], ids="+".join)
def test_it_serves_with_a_full_disk_behind_its_output(streams):
    with open("/dev/full", "w") as full, started(**dict.fromkeys(streams, full)) as server:
        assert_serves_and_stops_well(server)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["serve", "--help"]], ids=" ".join)
def test_what_only_prints_fails_where_it_cannot(arguments):
    with open("/dev/full", "w") as full:
        result = subprocess.run([BINARY, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1
    assert result.stderr == (
        "embedding-service: cannot write to standard output: No space left on device\n"
    )


@pytest.mark.parametrize("streams", [["stdin"], ["stdout"], ["stderr"], [*STREAMS]], ids="+".join)
def test_no_connection_or_file_gets_the_number_of_a_closed_stream(streams):
    def close():
        for stream in streams:
            os.close(STREAMS[stream])

    with started(preexec_fn=close) as server:
        for stream in streams if os.path.isdir("/proc/self") else []:  # of Linux
            assert os.readlink(f"/proc/{server.process.pid}/fd/{STREAMS[stream]}") == "/dev/null"
        assert_serves_and_stops_well(server)


def test_nohup_is_obeyed():
    with started(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as server:
        server.process.send_signal(signal.SIGHUP)
        assert_serves_and_stops_well(server)


def limited(kind, value):
    return lambda: resource.setrlimit(kind, (value, value))


def assert_refused(result, *parts):
    assert result.returncode == 1, result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert result.stdout == ""
    for part in parts:
        assert part in result.stderr


# 192 files are the server's own, 8 connections the fewest that are of use.
@pytest.mark.parametrize("files", [4, 5, 8, 10, 64, 192, 199])
def test_too_few_open_files(files):
    result = run("serve", "--port", 0, "--model", TINY_BGE_M3,
                 preexec_fn=limited(resource.RLIMIT_NOFILE, files))  # fmt: skip
    assert_refused(result, f"limit of {files} open files", "at least 200", "(4288 for", "ulimit -n")


@pytest.mark.parametrize(
    ("files", "asked", "warning"),
    [(200, 4096, "allows 8 connections, not 4096; raise ulimit -n"), (196, 4, None)],
)
def test_few_open_files_are_enough_for_few_connections(files, asked, warning):
    limit = limited(resource.RLIMIT_NOFILE, files)
    with Server(TINY_BGE_M3, "--max-connections", asked, preexec_fn=limit) as server:
        assert server.post("/embed", {"texts": ["a"]}).status_code == 200
        assert "ulimit" not in server.stderr() if warning is None else warning in server.stderr()


def test_a_soft_limit_is_raised():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))  # noqa: E731
    with Server(TINY_BGE_M3, "--max-connections", 128, preexec_fn=limit) as server:
        assert "ulimit" not in server.stderr()
        assert server.post("/embed", {"texts": ["a"]}).status_code == 200


def test_threads_that_cannot_be_started():
    # Each asks for a stack as large as the limit: more than there are addresses.
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    limit = lambda: resource.setrlimit(resource.RLIMIT_STACK, (1 << 46, hard))  # noqa: E731
    result = run("serve", "--port", 0, "--threads", 7, *NO_MODEL, preexec_fn=limit)
    assert_refused(result, "only 0 of the ", "Resource temporarily unavailable", "ulimit -u")


def least_memory_mb():
    """The address space that the program itself takes, to the MB."""
    too_little, enough = 0, 4096
    while enough - too_little > 1:
        middle = (too_little + enough) // 2
        result = run("--version", preexec_fn=limited(resource.RLIMIT_AS, middle << 20))
        too_little, enough = (too_little, middle) if result.returncode == 0 else (middle, enough)
    return enough


def test_a_lack_of_memory_at_the_start_is_one_line_and_no_abort():
    least = least_memory_mb()
    endings = []
    for memory_mb in range(least, least + 60, 2):
        limit = limited(resource.RLIMIT_AS, memory_mb << 20)
        server = Server(TINY_BGE_M3, "--threads", 1, wait=False, preexec_fn=limit)
        wait_for(lambda: "running on" in server.stdout() or server.process.poll() is not None)
        if server.process.poll() is None:
            server.kill()
            break
        endings.append((server.process.returncode, server.stderr().splitlines()))
    assert endings
    # 3 where a file of the model cannot be mapped.
    assert [e for e in endings if e[0] not in (1, 3) or len(e[1]) != 1] == []
    assert any("out of memory; raise ulimit -v" in lines[0] for _, lines in endings)


def test_threads_that_memory_has_no_room_for():
    result = run("serve", "--port", 0, "--threads", 1024, *NO_MODEL,
                 preexec_fn=limited(resource.RLIMIT_AS, 1 << 30))  # fmt: skip
    assert_refused(result, "threads needed can be started", "ulimit -v")
