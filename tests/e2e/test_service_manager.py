"""What systemd is told (sd_notify), what SIGHUP does, and the files that run it as a service."""

import os
import pty
import re
import signal
import socket
import subprocess
import threading

import pytest
from certificates import make_certificate
from server import BINARY, PATIENCE_S, ROOT, TINY_BGE_M3, Server, environment, wait_for


class Manager:
    """The socket that a service manager listens on for what its services tell."""

    def __init__(self, address):
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_S)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def environment(self, **more):
        return environment(NOTIFY_SOCKET=self.address, **more)

    def next(self):
        return self.socket.recv(4096).decode().split("\n")

    def until(self, line):
        """What is told up to that line, watchdog aside."""
        told = []
        while line not in told:
            told += [line for line in self.next() if line != "WATCHDOG=1"]
        return told


@pytest.fixture(params=["file", "abstract"])
def manager(request, tmp_path):
    name = str(tmp_path / "notify") if request.param == "file" else f"@embedding-test-{os.getpid()}"
    manager = Manager(name)
    yield manager
    manager.socket.close()


def test_is_told_when_it_is_ready_and_when_it_reads_again(manager):
    with Server(TINY_BGE_M3, env=manager.environment()) as server:
        told = manager.until("READY=1")
        assert told[0] == "STATUS=Loading tiny-bge-m3"
        assert manager.socket.getsockname() and server.get("/health").status_code == 200
        server.process.send_signal(signal.SIGHUP)
        again = manager.until("READY=1")
        assert "RELOADING=1" in again
        assert any(re.fullmatch(r"MONOTONIC_USEC=\d+", line) for line in again)


def test_is_told_that_it_is_alive_as_long_as_it_computes(manager):
    env = manager.environment(WATCHDOG_USEC="20000")
    with Server(TINY_BGE_M3, env=env) as server:
        manager.until("READY=1")
        for _ in range(5):
            while manager.next() != ["WATCHDOG=1"]:
                pass
        server.post("/embed", {"texts": ["x " * 500] * 20})
        while manager.next() != ["WATCHDOG=1"]:
            pass


def test_another_processs_watchdog_is_not_fed(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    env = manager.environment(WATCHDOG_USEC="2000", WATCHDOG_PID="1")
    with Server(TINY_BGE_M3, env=env) as server:
        server.post("/embed", {"texts": ["x " * 500] * 20})
    told = []
    manager.socket.settimeout(0)
    with pytest.raises(BlockingIOError):
        while True:
            told += manager.next()
    assert "READY=1" in told and "WATCHDOG=1" not in told


def in_terminal(*prefix, stdout):
    """A server whose controlling terminal is a pty: (process id, the terminal's other end)."""
    pid, terminal = pty.fork()
    if pid == 0:
        with open(stdout, "wb") as file:
            os.dup2(file.fileno(), 1)
        os.execvpe(prefix[0] if prefix else BINARY,
                   [*prefix, str(BINARY), "serve", "--model", str(TINY_BGE_M3), "--port", "0"],
                   environment())
    return pid, terminal


def test_ends_when_its_terminal_is_closed(tmp_path):
    log = tmp_path / "log"
    pid, terminal = in_terminal(stdout=log)
    wait_for(lambda: log.exists() and b"running on" in log.read_bytes())
    os.kill(pid, signal.SIGHUP)  # a reload: the terminal is there
    while b"read again" not in os.read(terminal, 4096):
        pass
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_outlives_its_terminal_by_nohup(tmp_path):
    log = tmp_path / "log"
    pid, terminal = in_terminal("nohup", stdout=log)
    try:
        wait_for(lambda: log.exists() and b"running on" in log.read_bytes())
        os.close(terminal)
        port = re.search(rb"running on http://.*:(\d+)", log.read_bytes()).group(1).decode()
        os.kill(pid, signal.SIGHUP)
        answered = subprocess.run(["curl", "-fsS", f"http://127.0.0.1:{port}/livez"], capture_output=True)
        assert b"alive" in answered.stdout
    finally:
        os.kill(pid, signal.SIGTERM)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_reload_takes_over_keys_and_limits_and_tells_what_needs_a_restart(tmp_path):
    config, keys = tmp_path / "server.toml", tmp_path / "keys"
    keys.write_text("alice first\n")
    keys.chmod(0o600)
    config.write_text(f'max-queue = 100\napi-keys-file = "{keys}"\n')

    def status(server, key):
        return server.post("/embed", {"texts": ["a"]}, headers={"X-API-Key": key}).status_code

    with Server(TINY_BGE_M3, "--config", config) as server:
        assert (status(server, "first"), status(server, "second")) == (200, 401)
        keys.write_text("alice second\n")
        config.write_text(f'max-queue = 200\napi-keys-file = "{keys}"\nrate-limit-requests = 1\n')
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "--max-queue changed, which takes a restart" in server.stderr())
        assert (status(server, "first"), status(server, "second")) == (401, 200)
        assert status(server, "second") == 429
        keys.write_text("nonsense\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "stays as it was" in server.stderr())
        assert f"{keys}:1" in server.stderr()
        assert status(server, "second") in (200, 429)


def test_a_reload_opens_and_closes_nothing_by_the_way(tmp_path):
    certificate, key = make_certificate(tmp_path)
    config = tmp_path / "server.toml"
    config.write_text('api-key = "k"\n')
    with Server(TINY_BGE_M3, "--config", config) as server:
        config.write_text("")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "there is no API key any more" in server.stderr())
        assert server.post("/embed", {"texts": ["a"]}).status_code == 401
        config.write_text(f'api-key = "k"\ntls-certificate = "{certificate}"\ntls-key = "{key}"\n')
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "--tls-certificate, --tls-key changed, which takes a restart" in server.stderr())
        assert server.get("/livez").status_code == 200


def test_a_reload_that_hangs_holds_up_nothing(tmp_path):
    keys = tmp_path / "keys"
    os.mkfifo(keys, 0o600)
    writer = threading.Thread(target=lambda: keys.write_text("alice first\n"))
    writer.start()
    with Server(TINY_BGE_M3, "--api-keys-file", keys) as server:
        writer.join()
        for _ in range(3):
            server.process.send_signal(signal.SIGHUP)
            assert server.get("/livez").status_code == 200
        assert server.stop() == 0


def test_a_reload_of_a_file_that_is_wrong_changes_nothing(tmp_path):
    config = tmp_path / "server.toml"
    config.write_text("max-queue = 100\n")
    with Server(TINY_BGE_M3, "--config", config) as server:
        config.write_text("max-queue = oops\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "stays as it was" in server.stderr())
        assert "not TOML" in server.stderr()
        assert server.get("/health").status_code == 200
