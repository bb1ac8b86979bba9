"""A server in a process of its own: started, asked over HTTP, stopped in between, measured."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

START_LIMIT_S = 300
# Equal texts are to be computed each time. A binary of ours from before the cache ignores it.
NO_CACHE = {"EMBEDDING_SERVICE_CACHE": "0"}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """Ready when the constructor returns. `ready_s`: seconds from its start to the first 200 of
    its health route; `anonymous_mb`: RssAnon then."""

    def __init__(self, engine, settings, log):
        self.engine = engine
        self.port = free_port()
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        started = time.perf_counter()
        with open(log, "w") as output:
            self.process = subprocess.Popen(
                [str(part) for part in engine.command(self.port, settings)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                env={**os.environ, **NO_CACHE})
        try:
            self._wait_until_ready(started + START_LIMIT_S)
        except BaseException:
            self.stop()
            raise
        self.ready_s = time.perf_counter() - started
        self.anonymous_mb = self.memory_mb("RssAnon")

    def _wait_until_ready(self, deadline):
        while time.perf_counter() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"ended while starting: {self.last_line()}")
            try:
                connection = self.connect(timeout=5)
                connection.request("GET", self.engine.ready_path)
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        raise RuntimeError(f"not ready after {START_LIMIT_S} s")

    def last_line(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "no output"

    def connect(self, timeout):
        """`timeout` in seconds, of each read."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def body(self, texts):
        return json.dumps(self.engine.request(texts)).encode()

    def post(self, connection, body):
        """The whole answer's bytes, unread JSON. Anything but 200 raises."""
        connection.request(
            "POST", self.engine.path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"status {response.status}: {answer[:200]!r}")
        return answer

    def embed(self, texts, timeout=600):
        connection = self.connect(timeout)
        vectors = self.engine.vectors(json.loads(self.post(connection, self.body(texts))))
        connection.close()
        return vectors

    def memory_mb(self, field):
        """A field of /proc/PID/status (RssAnon, VmHWM), summed over the process and its children."""
        total, pids = 0, [self.process.pid]
        while pids:
            pid = pids.pop()
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    pids += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
            found = re.search(rf"{field}:\s+(\d+)", status)
            total += int(found.group(1)) if found else 0
        return total * 1024 / 1e6

    def pause(self):
        """Threads that spin while idle must not disturb the server that is being measured."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self):
        for number in (signal.SIGCONT, signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            if number == signal.SIGCONT:
                continue
            try:
                self.process.wait(timeout=15)
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()
