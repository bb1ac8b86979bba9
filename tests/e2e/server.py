"""Runs the real binary: the one way in which every end-to-end test starts and stops it."""

import os
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
BINARY = Path(
    os.environ.get("EMBEDDING_SERVICE_BIN", ROOT / "build" / "release" / "embedding-service")
).resolve()  # tests run it in other folders too
MINILM = ROOT / "models" / "all-MiniLM-L6-v2"
TINY_BGE_M3 = DATA / "tiny-bge-m3"
TINY_RERANKER = DATA / "tiny-reranker"

# Generous: the suite must also pass under sanitizers on a busy machine.
PATIENCE_S = 120


def environment(**variables):
    """This process's environment without what would configure the binary, and without a network.

    In f32: the references are.
    """
    own = ("EMBEDDING_", "HF_", "HUGGING", "SENTENCE_TRANSFORMERS_", "TRANSFORMERS_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    return {**kept, "HF_HUB_OFFLINE": "1", "EMBEDDING_SERVICE_DTYPE": "f32", **variables}


def run(*arguments, env=None, **options):
    """Runs the binary to its end. For calls that are expected to end by themselves."""
    return subprocess.run(
        [BINARY, *map(str, arguments)],
        env=env or environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        **options,
    )


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Server:
    """`embedding-service serve` on a free port. A context manager: stopped by its pid at the end.

    A port of None is not given to it. What else is given by name goes to subprocess.Popen; with another stdout there is
    nothing to wait by. `program` is another command that does the same.
    """

    def __init__(self, model, *arguments, port=0, env=None, wait=True, program=(BINARY,), **popen):
        self._stdout = tempfile.TemporaryFile("w+")
        self._stderr = tempfile.TemporaryFile("w+")
        self.port = port
        at = () if port is None else ("--port", str(port))
        self.process = subprocess.Popen(
            [*program, "serve", "--model", str(model), *at, *map(str, arguments)],
            env=env or environment(),
            **{"stdout": self._stdout, "stderr": self._stderr, **popen},
        )
        if wait:
            self._wait_until_ready()

    def _wait_until_ready(self):
        deadline = time.monotonic() + PATIENCE_S
        while not (running := re.search(r"running on (?:https?://.*:(\d+)|unix:)", self.stdout())):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server did not start:\n{self.stdout()}{self.stderr()}")
            time.sleep(0.02)
        if running.group(1):
            self.port = int(running.group(1))

    def stdout(self):
        return _content(self._stdout)

    def stderr(self):
        return _content(self._stderr)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path, **kwargs):
        return requests.get(self.url + path, timeout=PATIENCE_S, **kwargs)

    def post(self, path, json=None, **kwargs):
        return requests.post(self.url + path, json=json, timeout=PATIENCE_S, **kwargs)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def exchange(self, data):
        """Sends bytes over a connection of their own and gives all that comes until it closes."""
        with self.connect() as connection:
            connection.sendall(data)
            return read_all(connection)

    def stop(self):
        """Asks the server to stop and gives its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None and (code := self.stop()) != 0 and exception[0] is None:
            raise RuntimeError(f"the server ended with {code}:\n{self.stderr()}")


def _content(file):
    # pread leaves the offset alone, which the process that writes shares.
    return os.pread(file.fileno(), 1 << 24, 0).decode()


def read_all(connection):
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def read_response(stream):
    """The next response of a stream (connection.makefile("rb")): status, headers, body."""
    status = int(stream.readline().split()[1])
    headers = {}
    while (line := stream.readline().strip()):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return status, headers, stream.read(int(headers.get("content-length", 0)))
