"""A real redis-server on a free port, started, stopped and held up by the test."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from server import PATIENCE_S


def until(condition, what):
    """Asks again and again until it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
    return value


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Redis:
    """A context manager. What it holds is gone when it is stopped."""

    def __init__(self, *arguments, password="", scheme="redis"):
        self.arguments, self.password, self.scheme = arguments, password, scheme
        self.port = free_port()
        self.process = None
        self.directory = tempfile.TemporaryDirectory()

    def start(self):
        given = ["--requirepass", self.password] if self.password else []
        at = ["--port", self.port] if self.scheme == "redis" else []
        command = ["redis-server", *at, "--bind", "127.0.0.1", "--save", "", "--dir",
                   self.directory.name, *given, *self.arguments]  # fmt: skip
        self.process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._listens, "redis-server")
        return self

    def _listens(self):
        assert self.process.poll() is None, "redis-server ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def url(self, credentials=None):
        if credentials is None:
            credentials = f":{self.password}@" if self.password else ""
        return f"{self.scheme}://{credentials}127.0.0.1:{self.port}/0"

    def ask(self, *command):
        """The reply to a command, as the bytes that come; `command` is words without spaces."""
        lines = [f"AUTH {self.password}"] if self.password else []
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            connection.sendall("\r\n".join([*lines, " ".join(map(str, command)), "QUIT", ""]).encode())
            reply = b""
            while chunk := connection.recv(65536):
                reply += chunk
        return reply

    def entries(self):
        return int(re.findall(rb":(\d+)", self.ask("DBSIZE"))[-1])

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)

    def let_go(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.kill()
        self.directory.cleanup()
