"""Exit codes, where options come from, and what is said when something is wrong."""

import json
import platform
import re
import subprocess
import sys

import pytest

from server import DATA, ROOT, TINY_BGE_M3, Server, environment, run


def assert_fails(result, code, part):
    assert result.returncode == code, result.stderr
    assert part in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_version_is_the_projects():
    version = re.search(r"VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text().split("project(")[1])
    result = run("--version")
    assert result.returncode == 0
    assert result.stdout == f"embedding-service {version.group(1)}\n"


def test_help_tells_the_options_and_where_they_come_from():
    assert run("--help").returncode == 0
    result = run("serve", "--help")
    assert result.returncode == 0
    for option in (
        "model host port device threads max-client-batch-size payload-limit max-connections "
        "shutdown-timeout config max-queue cors-origin strict-model"
    ).split():
        assert f"--{option}" in result.stdout
        assert "EMBEDDING_SERVICE_" + option.upper().replace("-", "_") in result.stdout
    assert "command line wins over the environment, the environment over the file" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-command"],
        ["serve", "--no-such-option"],
        ["serve", "--port"],
        ["serve", "--port", "eighty"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "-1"],
        ["serve", "--max-client-batch-size", "0"],
        ["serve", "--payload-limit", "-5"],
        ["serve", "--config", "/no/such/file.toml"],
        ["serve", "stray"],
    ],
)
def test_wrong_usage(arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("device", ["cuda", "mps", "cpu:1", "toaster"])
def test_a_device_that_is_not_there(device):
    assert_fails(run("serve", "--device", device), 5, device)


@pytest.mark.parametrize("instruction_set", {"x86_64": ["neon", "dotprod"]}.get(
    platform.machine(), ["avx2", "avxvnni", "avx512"]))
def test_an_instruction_set_of_another_kind_of_processor(instruction_set):
    named = {"avx2": "AVX2", "avxvnni": "AVX2", "avx512": "AVX-512"}.get(instruction_set, "NEON")
    assert_fails(run("serve", "--model", TINY_BGE_M3, "--instruction-set", instruction_set), 5, named)


def test_a_port_in_use_is_noticed_before_anything_is_loaded(tiny_bge_m3):
    result = run("serve", "--port", tiny_bge_m3.port, "--model", TINY_BGE_M3)
    holder = f"embedding-service (process {tiny_bge_m3.process.pid})" if sys.platform == "linux" else ""
    assert_fails(result, 4, str(tiny_bge_m3.port))
    assert holder in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("model", ["/no/such/directory", "no-such-org/no-such-model"])
def test_a_model_that_is_not_there(model, tmp_path):
    env = environment(HF_HUB_CACHE=str(tmp_path))
    assert_fails(run("serve", "--port", 0, "--model", model, env=env), 3, model)


def test_command_line_over_environment_over_file(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('device = "toaster"\nhost = "192.0.2.1"\nmax-client-batch-size = 7\n')
    assert_fails(run("serve", "--config", config), 5, "toaster")
    # The environment wins over the file's device, and the next thing wrong is the file's host.
    env = environment(EMBEDDING_SERVICE_CONFIG=str(config), EMBEDDING_SERVICE_DEVICE="cpu")
    assert_fails(run("serve", env=env), 4, "192.0.2.1")
    # The command line wins over both.
    env["EMBEDDING_SERVICE_HOST"] = "192.0.2.2"
    env["EMBEDDING_SERVICE_MODEL"] = ""  # as good as none
    with Server(TINY_BGE_M3, "--host", "127.0.0.1", env=env) as server:
        response = server.post("/embed", {"texts": ["a"] * 8})
        assert "batch size 8 > maximum allowed batch size 7" in response.json()["error"]


def test_an_unknown_key_in_the_file_is_an_error(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text("prot = 8001\n")
    result = run("serve", "--config", config)
    assert result.returncode == 2
    assert "prot" in result.stderr


def test_what_may_be_given_more_than_once_is_not_added_to_the_environments():
    env = environment(EMBEDDING_SERVICE_MODEL="no/such", EMBEDDING_SERVICE_API_KEY="of-env")
    with Server(TINY_BGE_M3, "--api-key", "given", env=env) as server:
        assert server.get("/info", headers={"X-API-Key": "of-env"}).status_code == 401
        assert server.get("/info", headers={"X-API-Key": "given"}).status_code == 200
    with Server(TINY_BGE_M3, env=env) as server:
        assert server.get("/info", headers={"X-API-Key": "of-env"}).status_code == 200


def test_an_empty_api_key_is_refused():
    result = run("serve", "--api-key", "")
    assert result.returncode == 2
    assert "--api-key: an empty key" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "content", "part"),
    [
        (["--prot", "1"], None, "--prot: no such option; did you mean --port? embedding-service"),
        (["--max_queue=1"], None, "--max_queue: no such option; did you mean --max-queue?"),
        (["-host", "::1"], None, "-host: no such option; did you mean --host?"),
        (["--zzzzz"], None, "--zzzzz: no such option; embedding-service serve --help lists them"),
        ([], 'host = "::1"\nprot = 1', ":2: prot: no key of this file; did you mean port?"),
        ([], "max_client_batch_size = 1", "did you mean max-client-batch-size?"),
        ([], 'models = "a/b"', "did you mean model?"),
        ([], 'zzzzz = "a/b"', "zzzzz: no key of this file; it has the options of"),
    ],
)
def test_a_mistyped_name_is_told_the_right_one(arguments, content, part, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(content or "")
    assert_fails(run("serve", "--config", config, *arguments), 2, part)


def test_a_mistyped_command_is_told_the_right_one():
    for name in ("srve", "server", "Serve"):
        assert "did you mean serve?" in run(name).stderr
    assert "did you mean status?" in run("statsu").stderr
    assert "did you mean" not in run("qwertyuiop").stderr
    assert "options stand behind a command" in run("--model", "a/b").stderr


def advice():
    """What the program's messages, its scripts and the READMEs tell to type, by file."""
    for path in (*ROOT.glob("src/**/*.cc"), *ROOT.glob("src/**/*.h")):
        one_text = re.sub(r'"\s*\n\s*"', "", path.read_text())  # of literals side by side
        yield path.name, "\n".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', one_text))
    for path in (ROOT / "README.md", ROOT / "README.ru.md", ROOT / "run.sh"):
        yield path.name, "\n".join(re.findall(r"`[^`\n]+`|\./run.sh.*", path.read_text()))


def test_advice_names_only_what_exists():
    commands = set(re.findall(r"^  ([a-z]+) ", run("--help").stdout, re.M))
    help_text = "".join(run(command, "--help").stdout for command in commands)
    options = set(re.findall(r"--[a-z][a-z-]*", help_text)) | {"--version"}
    variables = set(re.findall(r"EMBEDDING_SERVICE_\w+", help_text)) | {"EMBEDDING_SERVICE_VERSION"}
    of_others = {"--env-file", "--install"}  # docker's, cmake's
    of_nobody = {"--instance"}  # between the commands
    wrong = []
    for name, text in advice():
        used = set(re.findall(r"embedding-service ([a-z]+)\b", text)) - commands
        used |= set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - options - of_others - of_nobody
        used |= set(re.findall(r"EMBEDDING_SERVICE_[A-Z_]*[A-Z]", text)) - variables
        wrong += [(name, word) for word in sorted(used)]
    assert wrong == []


def test_a_bad_environment_variable_is_an_error():
    result = run("serve", env=environment(EMBEDDING_SERVICE_PORT="eighty"))
    assert result.returncode == 2
    assert "eighty" in result.stderr


@pytest.fixture(scope="module")
def bad_models(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bad")
    subprocess.run(
        [sys.executable, DATA / "make_bad_models.py", TINY_BGE_M3, directory], check=True
    )
    return directory


def test_bad_models_are_refused_by_name(bad_models):
    manifest = json.loads((bad_models / "manifest.json").read_text())
    assert manifest
    wrong = {}
    for case, pattern in manifest.items():
        result = run("serve", "--port", 0, "--model", bad_models / case)
        one_line = len(result.stderr.strip().splitlines()) == 1
        if result.returncode != 3 or not re.search(pattern, result.stderr) or not one_line:
            wrong[case] = (result.returncode, result.stderr, pattern)
    assert wrong == {}
    assert not (bad_models / "EXECUTED").exists()


def test_a_model_that_cannot_be_had_ends_it_as_one_that_cannot_be_loaded(tmp_path):
    env = environment(HF_ENDPOINT="ftp://hub", HF_HUB_CACHE=str(tmp_path))
    del env["HF_HUB_OFFLINE"]
    result = run("serve", "--port", 0, "--model", "org/name", env=env)
    assert result.returncode == 3
    assert "HF_ENDPOINT" in result.stderr
