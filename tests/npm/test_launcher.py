"""`npx embedding-service` in a project that has installed the package: as the program itself."""

import contextlib
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
from pathlib import Path

import pytest
from certificates import make_certificate
from npm_project import PLATFORM
from server import MINILM, PATIENCE_S, TINY_BGE_M3, Server, read_response, run, wait_for

TEXTS = ["Пример текста", "a text", "", "the quick brown fox " * 60]
NPX = ("npx", "--no-install", "embedding-service")


@contextlib.contextmanager
def by_npx(project, model, *arguments, program=NPX, **popen):
    """A server that npx, or the launcher, has started and is told to end."""
    server = Server(model, *arguments, program=program, cwd=project.folder, env=project.env, **popen)
    pid = pid_of(server)
    try:
        yield server
        if server.process.poll() is None:
            server.process.terminate()
        server.process.wait(PATIENCE_S)
        wait_for(lambda: refuses(server))
        pid = None
    finally:
        server.kill()
        with contextlib.suppress(ProcessLookupError):
            if pid is not None:
                os.kill(pid, signal.SIGKILL)


def pid_of(server):
    """Of the server itself, not of what started it: the one that listens on its port."""
    inodes = {
        f"socket:[{line.split()[9]}]" for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{server.port:04X}") and line.split()[3] == "0A"
    }  # fmt: skip
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if inodes & {os.readlink(fd) for fd in Path(f"/proc/{process}/fd").iterdir()}:
                return int(process)
    raise AssertionError(f"nobody listens on {server.port}")


def refuses(server):
    try:
        server.connect().close()
    except OSError:
        return True
    return False


def begin_request(connection, body):
    connection.sendall(b"POST /embed HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body))


def test_it_answers_what_the_release_answers(project):
    with by_npx(project, MINILM) as npx, Server(MINILM) as release:
        for body in ({"texts": TEXTS}, {"texts": TEXTS, "normalize": False}):
            assert npx.post("/embed", body).json() == release.post("/embed", body).json()


def test_the_client_beside_it_asks_it(project):
    script = """
        import { EmbeddingClient } from 'embedding-service';
        const client = new EmbeddingClient({ baseUrl: process.argv[2] });
        console.log(JSON.stringify(await client.embed(['a text'])));
    """
    (project.folder / "ask.mjs").write_text(script)
    with by_npx(project, TINY_BGE_M3) as server:
        answer = project.run("node", "ask.mjs", server.url)
        assert json.loads(answer.stdout) == server.post("/embed", {"texts": ["a text"]}).json()["embeddings"]


@pytest.mark.parametrize("program", [NPX, ("node", "node_modules/embedding-service/bin/embedding-service.cjs")])
def test_sigterm_ends_it_when_what_is_in_hand_is_answered(project, program):
    body = b'{"texts":["a"]}'
    with by_npx(project, TINY_BGE_M3, program=program) as server:
        with server.connect() as connection:
            begin_request(connection, body)
            assert server.get("/livez").status_code == 200
            server.process.terminate()
            wait_for(lambda: refuses(server))
            connection.sendall(body)
            assert read_response(connection.makefile("rb"))[0] == 200
        # npm ends by the signal that it was sent, whatever its command does.
        assert server.process.wait(PATIENCE_S) == (-signal.SIGTERM if program == NPX else 0)


def test_ctrl_c_in_a_terminal_is_one_signal(project):
    """It reaches npx, its shell, the launcher and the server, and npx and the launcher pass it on."""
    body = b'{"texts":["a"]}'
    terminal, end = pty.openpty()

    def own_terminal():
        os.setsid()
        os.close(os.open(os.ttyname(end), os.O_RDWR))  # the first that a session opens becomes its own

    try:
        with by_npx(project, TINY_BGE_M3, stdin=end, preexec_fn=own_terminal) as server:
            with server.connect() as connection:
                begin_request(connection, body)
                assert server.get("/livez").status_code == 200
                os.write(terminal, b"\x03")
                wait_for(lambda: refuses(server))
                connection.sendall(body)
                assert read_response(connection.makefile("rb"))[0] == 200
            assert server.process.wait(PATIENCE_S) in (0, -signal.SIGINT, 130)
    finally:
        os.close(terminal)
        os.close(end)


def test_what_ends_the_server_ends_the_launcher(project):
    with by_npx(project, TINY_BGE_M3, program=("node", project.launcher)) as server:
        os.kill(pid_of(server), signal.SIGKILL)
        assert server.process.wait(PATIENCE_S) == -signal.SIGKILL


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["serve", "--model", "/nowhere/at/all"], 3),
        (["serve", "--no-such-option"], 2),
        (["status", "--name", "nobody"], 3),
        (["help"], 0),
    ],
)
def test_exit_codes_and_messages_are_the_programs(project, arguments, code):
    mine, its = project.npx(*arguments), run(*arguments)
    assert (mine.returncode, its.returncode) == (code, code)
    assert mine.stdout == its.stdout
    assert mine.stderr.strip().endswith(its.stderr.strip()[-60:])


def test_arguments_and_input_pass_as_they_are(project):
    texts = ["two words", 'quotes " and \\', "$HOME `id` *", "Пример", "--not-an-option", ""]
    mine = project.run("node", project.launcher, "embed", "--model", MINILM, "--", *texts)
    assert mine.stdout == run("embed", "--model", MINILM, "--", *texts).stdout and mine.stdout.count("\n") == len(texts)
    piped = project.run("node", project.launcher, "embed", "--model", MINILM, input="one\ntwo\n")
    assert piped.stdout == run("embed", "--model", MINILM, input="one\ntwo\n").stdout


def test_a_server_in_the_background_outlives_npx(project, tmp_path):
    state = {"XDG_STATE_HOME": str(tmp_path)}
    started = project.npx("start", "--model", TINY_BGE_M3, "--port", "0", "--name", "one", env=state)
    assert started.returncode == 0, started.stderr
    assert project.npx("status", "--name", "one", env=state).returncode == 0
    assert project.npx("stop", "--name", "one", env=state).returncode == 0
    assert project.npx("status", "--name", "one", env=state).returncode == 3


def test_one_command_in_an_empty_folder_is_all(empty_project):
    result = empty_project.run("npx", "--yes", "embedding-service", "embed", "--model", TINY_BGE_M3, "a text")
    assert result.returncode == 0, result.stderr
    assert result.stdout == run("embed", "--model", TINY_BGE_M3, "a text").stdout


def test_without_optional_packages_it_says_so(empty_project):
    empty_project.install("--omit=optional", "embedding-service")
    result = empty_project.npx("serve")
    assert result.returncode == 1
    assert f"@embedding-service/{PLATFORM}" in result.stderr and "--omit=optional" in result.stderr
    assert "npm install --include=optional" in result.stderr


def pretending(project, **process):
    """The launcher on a machine of which Node.js tells these things."""
    stub = project.folder / "pretend.cjs"
    lines = [f"Object.defineProperty(process, {json.dumps(k)}, {{ value: {json.dumps(v)} }});" for k, v in process.items()]
    stub.write_text("\n".join(lines))
    return project.run("node", "--require", stub, project.launcher, "serve")


def test_another_platform_is_named(project):
    result = pretending(project, arch="riscv64")
    assert result.returncode == 1
    assert "linux-riscv64" in result.stderr and "./run.sh" in result.stderr and "linux-arm64" in result.stderr


def copy_of(project, folder):
    shutil.copytree(project.folder / "node_modules", folder / "node_modules", symlinks=True)
    return folder / "node_modules" / "embedding-service" / "bin" / "embedding-service.cjs"


def platform_folder(launcher):
    return launcher.parents[2] / "@embedding-service" / PLATFORM


def test_packages_of_two_versions_are_refused(project, tmp_path):
    launcher = copy_of(project, tmp_path)
    manifest = platform_folder(launcher) / "package.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "version": "0.0.1"}))
    result = project.run("node", launcher, "serve")
    assert result.returncode == 1 and "0.0.1" in result.stderr and "install again" in result.stderr


def test_a_program_that_may_not_be_executed_is_named(project, tmp_path):
    launcher = copy_of(project, tmp_path)
    program = platform_folder(launcher) / "bin" / "embedding-service"
    program.chmod(0o644)
    result = project.run("node", launcher, "serve")
    assert result.returncode == 1 and str(program) in result.stderr and "chmod +x" in result.stderr
    program.unlink()
    result = project.run("node", launcher, "serve")
    assert result.returncode == 1 and f"install @embedding-service/{PLATFORM} again" in result.stderr


def elf_hash(name):
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value & 0x0FFFFFFF) ^ ((value & 0xF0000000) >> 24)
    return value


def test_a_glibc_that_is_too_old_is_named(project, tmp_path):
    """A program that asks for a glibc that no system has, by its newest version renamed."""
    launcher = copy_of(project, tmp_path)
    manifest = platform_folder(launcher) / "package.json"
    declared = json.loads(manifest.read_text())
    major, minor = declared["embeddingService"]["glibc"].split(".")
    needed, never = f"GLIBC_{major}.{minor}".encode(), f"GLIBC_9.{minor}".encode()
    program = platform_folder(launcher) / "bin" / "embedding-service"
    content = program.read_bytes()
    assert content.count(needed + b"\0") == 1
    content = content.replace(needed + b"\0", never + b"\0")
    content = content.replace(struct.pack("<I", elf_hash(needed)), struct.pack("<I", elf_hash(never)))
    program.write_bytes(content)
    declared["embeddingService"]["glibc"] = f"9.{minor}"
    manifest.write_text(json.dumps(declared))
    result = project.run("node", launcher, "--version")
    assert result.returncode == 1
    assert f"the server needs glibc 9.{minor}, and this system has" in result.stderr and "./run.sh" in result.stderr


def test_it_believes_the_systems_certificates_or_those_it_is_told(project, tmp_path):
    """Its libcurl is its own, and reads what programs with OpenSSL read."""
    certificate, key = make_certificate(tmp_path)
    with Server(TINY_BGE_M3, "--tls-certificate", certificate, "--tls-key", key) as server:
        ask = ["embed", "--url", f"https://127.0.0.1:{server.port}", "a text"]
        stranger = project.npx(*ask)
        assert stranger.returncode != 0 and "certificate" in stranger.stderr
        told = project.npx(*ask, env={"SSL_CERT_FILE": str(certificate)})
        assert told.returncode == 0, told.stderr
        assert told.stdout == run("embed", "--model", TINY_BGE_M3, "a text").stdout
