"""Servers in the background, with a state folder of their own that nothing outlives."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import threading

from server import BINARY, PATIENCE_S, TINY_BGE_M3, environment, run
from test_lifecycle import free_port, wait_for


class Background:
    """The commands of one state folder. A context manager: what runs at its end is killed."""

    def __init__(self, folder, **variables):
        self.folder = folder / "embedding-service"
        self.env = environment(XDG_STATE_HOME=str(folder), **variables)
        self.port = free_port()

    def run(self, command, *arguments, **options):
        port = [] if "--port" in arguments or "--name" in arguments else ["--port", self.port]
        return run(command, *port, *arguments, env=self.env, **options)

    def popen(self, command, *arguments, **options):
        process = subprocess.Popen(
            [BINARY, command, "--port", str(self.port), *map(str, arguments)],
            env=self.env, text=True, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )  # fmt: skip
        # So that whoever reads a line that does not come gets the end instead.
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.daemon = True
        watchdog.start()
        return process

    def start(self, *arguments, model=TINY_BGE_M3):
        result = self.run("start", "--model", model, *arguments)
        assert result.returncode == 0, result.stderr
        return result

    def status(self, *arguments):
        result = self.run("status", "--json", *arguments)
        it = json.loads(result.stdout)
        assert result.returncode == (0 if it["running"] else 3)
        return it

    def record(self, name=None):
        return json.loads((self.folder / f"{name or self.port}.json").read_text())

    @property
    def pid(self):
        return self.record()["pid"]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def runs(self, path):
        if not path.exists():
            return False
        with open(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def kill(self):
        for path in (*self.folder.glob("*.json"), *self.folder.glob("*.next")):
            if self.runs(path) and (pid := json.loads(path.read_text())["pid"]):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                wait_for(lambda: not self.runs(path))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()
