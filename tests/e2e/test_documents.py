"""The manual page and the completions, by the programs that read them."""

import re
import shutil
import subprocess

import pytest

from server import BINARY, run

COMMANDS = re.findall(r"^  ([a-z]+) ", run("--help").stdout, re.M)


def tool(name):
    """They come with scripts/install_dependencies.sh dev."""
    path = shutil.which(name)
    assert path, f"{name} is not installed"
    return path


def read_by(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return result.stdout


@pytest.fixture
def document(tmp_path):
    def write(*arguments):
        path = tmp_path / "document"
        path.write_text(run("help", *arguments).stdout)
        return path

    return write


def test_every_command_has_help():
    assert {"serve", "start", "stop", "restart", "status", "logs", "embed", "download"} <= set(COMMANDS)
    for command in COMMANDS:
        result = run(command, "--help")
        assert result.returncode == 0 and "--config" in result.stdout, command
        assert run("help", command).stdout == result.stdout
    assert run("help").stdout == run("--help").stdout
    unknown = run("help", "srve")
    assert unknown.returncode == 2 and "did you mean serve?" in unknown.stderr


def test_the_manual_page_is_one(document):
    page = read_by(tool("man"), "--warnings", "-l", document("--man"), env={"MANWIDTH": "200", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    for command in COMMANDS:
        assert re.search(rf"^ +{command}$", page, re.M), command
    assert "--max-queue" in page and "EMBEDDING_SERVICE_MAX_QUEUE" in page and "EXIT STATUS" in page


def completed_by_bash(script, *words):
    program = f"""
        source {script}
        COMP_WORDS=({" ".join(map(repr, words))})
        COMP_CWORD={len(words) - 1}
        _embedding_service
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return read_by(tool("bash"), "-c", program).split()


def test_bash_completes(document):
    script = document("--completion", "bash")
    read_by(tool("bash"), "-n", script)
    assert set(COMMANDS) <= set(completed_by_bash(script, "embedding-service", ""))
    assert completed_by_bash(script, "embedding-service", "stat") == ["status"]
    assert completed_by_bash(script, "embedding-service", "serve", "--max-q") == ["--max-queue"]
    assert completed_by_bash(script, "embedding-service", "serve", "--log-format", "j") == ["json"]
    assert completed_by_bash(script, "embedding-service", "serve", "--log-format", "=", "t") == ["text"]
    assert completed_by_bash(script, "embedding-service", "stop", "--max-q") == []
    assert "--follow" in completed_by_bash(script, "embedding-service", "logs", "-")


def test_zsh_takes_it(document):
    script = document("--completion", "zsh")
    read_by(tool("zsh"), "-n", script)
    program = f"autoload -Uz compinit && compinit -u -D && source {script} && print ${{_comps[embedding-service]}}"
    assert read_by(tool("zsh"), "-f", "-c", program).strip() == "_embedding-service"


def test_fish_completes(document, tmp_path):
    script = document("--completion", "fish")
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    read_by(tool("fish"), "--no-execute", script, env=env)

    def completed(line):
        program = f"source {script}; complete --do-complete '{line}'"
        return [l.split("\t")[0] for l in read_by(tool("fish"), "--no-config", "-c", program, env=env).splitlines()]

    assert set(COMMANDS) <= set(completed("embedding-service "))
    assert completed("embedding-service serve --log-format j") == ["json"]
    assert completed("embedding-service serve --max-q") == ["--max-queue"]
    assert completed("embedding-service stop --max-q") == []


def test_the_build_writes_them(tmp_path):
    documents = BINARY.parent / "documents"
    if not documents.exists():
        subprocess.run(["cmake", "--build", BINARY.parent, "--target", "embedding_documents"], check=True)
    assert (documents / "embedding-service.1").read_text() == run("help", "--man").stdout
    for name, shell in (("embedding-service.bash", "bash"), ("_embedding-service", "zsh"), ("embedding-service.fish", "fish")):
        assert (documents / name).read_text() == run("help", "--completion", shell).stdout
