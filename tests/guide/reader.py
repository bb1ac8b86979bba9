"""Who follows a document from top to bottom: in a home of their own, with the real program, and no network."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import exceptions
import shapes
from fake_hub import FakeHub
from nginx import free_port
from server import BINARY, MINILM, PATIENCE_S, ROOT, TINY_BGE_M3, TINY_RERANKER, wait_for

# Models of the same kind, under the names that documents use.
HUB = {
    "BAAI/bge-m3": TINY_BGE_M3,
    "BAAI/bge-reranker-v2-m3": TINY_RERANKER,
    "sentence-transformers/all-MiniLM-L6-v2": MINILM,
}
PORTS = ("8001", "8002", "8080", "11434")
SERVES = re.compile(r"(\./run\.sh|(npx )?embedding-service serve)(?!.*--(print-config|help))\b")


class Reader:
    """A context manager. `typescript` is a TypeScriptProject, whose folder is that of the application."""

    def __init__(self, folder, typescript):
        self.folder, self.typescript = folder, typescript
        self.ports = {port: str(free_port()) for port in PORTS}
        self.hub = FakeHub(folder, HUB)
        self.server, self.output = None, ""
        self.both = f"embedding-service serve --port {self.ports['8001']}"
        self.both += " --model BAAI/bge-m3 --model BAAI/bge-reranker-v2-m3"
        program = folder / "bin" / "embedding-service"
        program.parent.mkdir()
        program.symlink_to(BINARY)
        self.env = self.hub.environment(
            folder / "hub-cache",
            HOME=str(folder),
            XDG_STATE_HOME=str(folder / "state"),
            PATH=f"{program.parent}:{os.environ['PATH']}",
            EMBEDDING_SERVICE_PORT=self.ports["8001"],
            NO_PROXY="127.0.0.1,localhost",
            npm_config_yes="true",
        )
        # Where there is no demo model run.sh would fetch it.
        self.run_sh = {"EMBEDDING_SERVICE_MODEL": str(MINILM)}

    def local(self, text):
        """With the ports that are free here."""
        return re.sub(rf"\b({'|'.join(PORTS)})\b", lambda port: self.ports[port[0]], text)

    def follow(self, block):
        if any(block.text.startswith(first) for first in exceptions.ELSEWHERE):
            return
        kind = {"sh": self._shell, "json": self._json, "python": self._python, "ts": self._typescript}
        kind.get(block.language, self._file)(block)

    def _shell(self, block):
        if block.file:
            return self._file(block)
        for command in block.commands():
            for text, other, _ in exceptions.INSTEAD:
                command = command.replace(text, other.format(root=ROOT, minilm=MINILM))
            command = self.local(command)
            if SERVES.match(command):
                self._serve(command, block)
            elif command.endswith("logs -f"):
                self._watch(command, block)
            else:
                self._run(command, block)

    def _where(self, command):
        """run.sh is started where it is, npm's commands in the application."""
        if command.startswith("./run.sh"):
            return {"cwd": self.folder / "embedding-service", "env": {**self.env, **self._demo(command)}}
        if command.startswith(("npx", "npm")):
            return {"cwd": self.typescript.folder, "env": self.env}
        return {"cwd": self.folder, "env": self.env}

    def _demo(self, command):
        return {} if "--model" in command else self.run_sh

    def _run(self, command, block):
        starts = re.search(r"embedding-service start\b", command)
        if starts:
            self.stop()
        elif "curl" in command and not self.answers():
            self._serve(f"embedding-service serve --model BAAI/bge-m3 --port {self.ports['8001']}", block)
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL, **self._where(command))  # fmt: skip
        assert done.returncode == 0, f"{block}: {command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        self.output = done.stdout

    def _serve(self, command, block):
        self.stop()
        log = open(self.folder / "serve.log", "w+")
        self.server = subprocess.Popen(["bash", "-c", f"exec {command}"], stdout=log, stderr=log, **self._where(command))
        deadline = time.monotonic() + PATIENCE_S
        while "running on" not in (said := (self.folder / "serve.log").read_text()):
            assert self.server.poll() is None and time.monotonic() < deadline, f"{block}: {command}\n{said}"
            time.sleep(0.02)
        self.port = int(re.search(r"running on http://\S*:(\d+)", said).group(1))
        asked = re.search(r"--port (\d+)", command)
        assert str(self.port) == (asked.group(1) if asked else self.ports["8001"]), f"{block}: {said}"

    def _watch(self, command, block):
        with subprocess.Popen(["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, **self._where(command)) as logs:
            try:
                assert logs.stdout.readline(), f"{block}: {command} printed nothing"
                logs.send_signal(signal.SIGINT)
                assert logs.wait(PATIENCE_S) in (0, -signal.SIGINT, 130), f"{block}: {command}"
            finally:
                logs.kill()

    def answers(self):
        return self.server is not None and self.server.poll() is None or self._listens(self.ports["8001"])

    @staticmethod
    def _listens(port):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", int(port))).close()
            return True
        return False

    def _needs_server(self, block):
        """What the document's programs ask: one with both models, if none is left of what came before."""
        if self.server is None or self.server.args[-1] != f"exec {self.both}":
            self._serve(self.both, block)

    def stop(self):
        """The server, in the foreground or, of the document's `start`, in the background."""
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            self.server.wait(PATIENCE_S)
            wait_for(lambda: not self._listens(self.port))
        self.server = None
        if self._listens(self.ports["8001"]):
            subprocess.run([BINARY, "stop"], env=self.env, capture_output=True, timeout=PATIENCE_S, check=True)

    def _json(self, block):
        shown = shapes.parse(block.text)
        if "scripts" in shown:
            return self._npm_scripts(shown["scripts"], block)
        wrong = shapes.difference(shown, json.loads(self.output))
        assert wrong is None, f"{block}: {wrong}"

    def _npm_scripts(self, scripts, block):
        self.stop()
        self.typescript.complete()
        manifest = self.typescript.folder / "package.json"
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "scripts": scripts}))
        for _ in range(2):  # it starts the server, and finds it there
            self._run("npm run embeddings", block)
        assert self._listens(self.ports["8001"])
        self._run("npx embedding-service stop", block)

    def _python(self, block):
        self._needs_server(block)
        done = subprocess.run([sys.executable, "-c", self.local(block.text)], capture_output=True, text=True,
                              timeout=PATIENCE_S, env=self.env)  # fmt: skip
        assert done.returncode == 0, f"{block}: {done.stderr}"
        assert re.fullmatch(r"2 (\d+|True)\n", done.stdout), f"{block}: {done.stdout}"

    def _typescript(self, block):
        assert block.file, f"{block}: its first line does not say in which file it is"
        self._needs_server(block)
        self.typescript.write(block.file, self.local(block.text))
        self.typescript.use(block.file, f"http://localhost:{self.ports['8001']}", str(block))

    def _file(self, block):
        """A file of the reader's; what reads it follows, here or in the document."""
        text = self.local(block.text)
        if block.file and block.file.startswith(".env"):
            (self.typescript.folder / block.file).write_text(text)
            assert self.typescript.reads(block.file) == {"EMBEDDING_SERVICE_URL": f"http://localhost:{self.ports['8001']}"}
        elif block.language == "toml":
            (self.folder / "config.toml").write_text(text)
            self._run("embedding-service serve --config config.toml --print-config", block)
            assert "config.toml" in self.output, f"{block}: {self.output}"
        elif block.language == "text" and "sha256:" in text:
            (self.folder / "keys").write_text(text)
            (self.folder / "keys").chmod(0o600)
            self._serve(f"embedding-service serve --api-keys-file keys --port {self.ports['8001']}", block)
            self._run(f"curl -fsS http://localhost:{self.ports['8001']}/embed -H 'X-API-Key: s3cret' -d '{{\"texts\":[\"a\"]}}'", block)
            self.stop()
        elif block.language == "nginx":
            self._nginx(text, block)
        elif block.language == "ini":
            self._unit(text, block)
        else:
            raise AssertionError(f"{block}: nothing here knows what to do with it")

    def _nginx(self, text, block):
        from certificates import make_certificate

        certificate, key = make_certificate(self.folder)
        text = text.replace("/etc/ssl/embedding.pem", str(certificate)).replace("/etc/ssl/embedding.key", str(key))
        text = text.replace("listen 443", f"listen 127.0.0.1:{free_port()}")
        (self.folder / "nginx.conf").write_text(
            f"pid {self.folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{text}\n}}\n")
        self._run(f"PATH=$PATH:/usr/sbin nginx -t -q -e {self.folder}/error.log -c {self.folder}/nginx.conf", block)

    def _unit(self, text, block):
        """A drop-in, read with a unit that it completes."""
        unit = self.folder / "example.service"
        unit.write_text(text.replace("[Service]", "[Service]\nExecStart=/bin/true"))
        self._run(f"systemd-analyze verify --man=no {unit}", block)

    def __enter__(self):
        self.hub.__enter__()
        return self

    def __exit__(self, *exception):
        self.stop()
        for record in (self.folder / "state" / "embedding-service").glob("*.json"):
            name = record.name.removesuffix(".json")
            subprocess.run([BINARY, "stop", "--name", name], env=self.env, capture_output=True, timeout=PATIENCE_S)
        self.hub.__exit__(*exception)
