"""Values that the server does not start with: exit code 2 and one line that names the option, what was
given and what is expected, wherever the value came from."""

import json
import os
import shutil

import pytest

from server import TINY_BGE_M3, Server, environment, run

# Ends every start that gets past its options, with exit code 3.
NO_MODEL = ("--model", "/no/such/directory")

TOO_LARGE = 2**64
WRONG = {
    ("port", "a whole number from 0 to 65535"): [
        "", " ", "80000", "65536", "-1", "+1", "0x50", "1e3", "8001abc", " 8001", "8001 ", "80.0",
        "8001,8002", "[8001]", "true", str(TOO_LARGE), "99999999999999999999", "٣",
    ],
    ("threads", "a whole number from 0 to 1024"): ["", "1.5", "-1", "1025", TOO_LARGE, "two"],
    ("replicas", "a whole number from 1 to 64"): ["", "0", "65", "two"],
    ("device-timeout", "a whole number from 0 to 1000000000"): ["", "-1", "2m", 2**31],
    ("max-batch-tokens", "a whole number from 1 to 1000000000"): [
        "", "0", "-1", "99999999999999999999", TOO_LARGE - 1, TOO_LARGE, 2**63,
    ],
    ("max-queue", "a whole number from 1 to 1000000000"): ["", "0", "-1", TOO_LARGE - 1, TOO_LARGE],
    ("max-client-batch-size", "a whole number from 1 to 1000000000"): ["", "0", "-1", TOO_LARGE],
    ("payload-limit", "a whole number from 1 to 1000000000000"): ["", "0", "2M", TOO_LARGE - 1],
    ("max-connections", "a whole number from 1 to 1000000"): ["", "0", TOO_LARGE - 1, TOO_LARGE],
    ("shutdown-timeout", "a whole number from 0 to 1000000000"): ["", "-1", "30s", 2**31, TOO_LARGE],
    ("host", "a host's name or address"): ["", " ", "127.0.0.1 ", "a b", "127.0.0.1\n", "a\x1b[2J"],
    ("device", "a device"): ["", " ", "cpu\n"],
    ("dtype", "one of auto, f32, bf16, f16, int8"): ["", " ", "F32", "f64", "f32 "],
    ("instruction-set", "one of auto, avx2, avxvnni, avx512, neon, dotprod"): ["", "avx"],
    ("revision", "a branch, a tag or a commit's hash"): [
        "", " ", "..", "../main", "a/../b", "/main", "main/", "a b", "main\n", "refs//pr",
    ],
    ("model", "a model of the hub or a directory"): ["", " ", "\t", "a/b\n", "a\nb"],
    ("default-prompt-name", "a prompt's name"): [" ", "query\n"],
    ("api-key", "printable ASCII"): [
        "", " ", "\n", "\ufeff", "se\ncret", "se\tcret", "sécret", "se\x7fcret", "se\x01cret",
    ],
    ("cors-origin", "* or an origin"): ["", " ", "https://a b", "https://example.com\n"],
    ("api-keys-file", "a file's name"): ["", " ", "a\nb"],
    ("open-routes", "none, health, metrics, docs or the path of a route"): ["", " ", "/nowhere", "/embed "],
    ("rate-limit-requests", "a whole number from 0 to 10000000"): ["", "-1", "5/s", "10000001", TOO_LARGE],
    ("rate-limit-tokens", "a whole number from 0 to 10000000"): ["", "1e3", TOO_LARGE],
    ("rate-limit-burst", "a whole number from 1 to 100"): ["", "0", "101", "1s"],
    ("trusted-proxy", "an address, a range or unix"): ["", " ", "a b", "10.0.0.1\n"],
    ("access-log", "true or false"): ["", "2", "file"],
    ("strict-model", "true or false"): ["", "2", "tru", " true", "y"],
    ("no-console", "true or false"): ["", "2"],
    ("config", "a file's name"): ["", " ", "a\nb"],
}  # fmt: skip
CASES = [(option, expected, str(v)) for (option, expected), values in WRONG.items() for v in values]


def assert_refused(result, *parts):
    assert result.returncode == 2, result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert result.stderr.isprintable() or result.stderr[:-1].isprintable()
    assert result.stdout == ""
    for part in parts:
        assert part in result.stderr


def assert_refused_value(result, source, option, expected, value):
    assert_refused(result, f"embedding-service: {source}: ", f"expected {expected}")
    if option == "api-key":
        assert "cret" not in result.stderr
    else:
        shown = "".join(c if " " <= c <= "~" else _escaped(c) for c in value)
        assert f'got "{shown}"' in result.stderr


def _escaped(character):
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


@pytest.mark.parametrize(("option", "expected", "value"), CASES)
def test_on_the_command_line(option, expected, value):
    for arguments in ([f"--{option}", value], [f"--{option}={value}"]):
        others = () if option == "model" else NO_MODEL
        result = run("serve", *others, *arguments)
        assert_refused_value(result, f"--{option}", option, expected, value)


@pytest.mark.parametrize(("option", "expected", "value"), [c for c in CASES if c[2]])
def test_in_the_environment(option, expected, value):
    name = "EMBEDDING_SERVICE_" + option.upper().replace("-", "_")
    env = environment(EMBEDDING_SERVICE_MODEL="/no/such/directory")
    result = run("serve", env={**env, name: value})
    assert_refused_value(result, name, option, expected, value)


@pytest.mark.parametrize(
    ("option", "expected", "value"), [c for c in CASES if c[0] not in ("config", "dtype")]
)
def test_in_the_file(option, expected, value, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f"# one\n{option} = {json.dumps(value, ensure_ascii=False)}\n"
                      .replace("\x7f", "\\u007f"))
    others = () if option == "model" else NO_MODEL
    result = run("serve", "--config", config, *others)
    assert_refused_value(result, f"{config}:2: {option}", option, expected, value)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--port"], "--port: no value follows"),
        (["--host", "--port", "0"], "--host: no value follows"),
        (["--port=0", "--port", "0"], "--port: given twice, but takes one value"),
        (["--dtype", "f32", "--dtype=f32"], "--dtype: given twice, but takes one value"),
        (["--model", "a/b", "--model", "a/b"], '--model: expected each model once, got "a/b" twice'),
        (
            ["--max-client-batch-size", "4097", "--max-queue", "4096"],
            "--max-client-batch-size: expected at most the 4096 texts of --max-queue, got 4097",
        ),
        (["--cors-origin", "example.com"], "--cors-origin: expected * or an origin"),
        (["--cors-origin", "*", "--cors-origin", "https://a.example/"], 'got "https://a.example/"'),
        (["--trusted-proxy", "10.0.0.0/33"], "--trusted-proxy: expected an address as 192.0.2.1"),
        (["--trusted-proxy", "proxy.example"], "--trusted-proxy: expected an address as 192.0.2.1"),
        (["--cors-origin", "https://*.example.com"], "--cors-origin: expected * or an origin"),
        (["--model", "a/b", "c/d"], "argument 3 belongs to no option"),
        (["--prot", "8001"], "--prot: no such option"),
        (["-p", "8001"], "-p: no such option"),
        (["--"], "--: no such option"),
        ([""], "argument 1 belongs to no option"),
        (["--api-key=key", "s3cret"], "argument 2 belongs to no option"),
        (["--api-keys=s3cret"], "--api-keys: no such option"),
        (["-api-key", "s3cret"], "-api-key: no such option"),
        (["--host", os.fsdecode(b"\xff")], r'got "\xff"'),
    ],
)
def test_wrong_command_lines(arguments, part):
    result = run("serve", *arguments)
    assert_refused(result, f"embedding-service: {part}" if part[0] != "g" else part)
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        ("port = = 3", 1, "not TOML"),
        ("port = [1, 2]", 1, "port: expected one value, got a list"),
        ("port = [8001]", 1, "port: expected one value, got a list"),
        ("port =", 1, "not TOML"),
        ("port", 1, "not TOML"),
        ("port : 8001", 1, "not TOML"),
        ("port = 8001 8002", 1, "not TOML"),
        ("port = 08001", 1, "not TOML"),
        ("port = eighty", 1, "not TOML"),
        ("= 3", 1, "not TOML"),
        ("\n\nhost = 127.0.0.1", 3, "not TOML"),
        ('api-key = "s3cret', 1, "not TOML"),
        ("api-key = s3cret", 1, "not TOML"),
        ('api-key = "s3cret" junk', 1, "not TOML"),
        ("port = 1\nport = 2", 2, "not TOML: value (\"port\") already exists"),
        ("port = 80000", 1, 'port: expected a whole number from 0 to 65535, got "80000"'),
        ("port = -1", 1, 'port: expected a whole number from 0 to 65535, got "-1"'),
        ("port = 99999999999999999999", 1, "port: expected a whole number from 0 to 65535"),
        ("port = 8001.5", 1, "port: expected a string, a whole number or a list of strings"),
        ("port = 1e3", 1, "port: expected a string, a whole number or a list of strings"),
        ("port = true", 1, "port: expected a string, a whole number or a list of strings"),
        ("strict-model = 1", 1, 'strict-model: expected true or false, got "1"'),
        ('strict-model = "yes"', 1, 'strict-model: expected true or false, got "yes"'),
        ("port = 2025-01-01", 1, "port: expected a string, a whole number or a list of strings"),
        ("[server]\nport = 8001", 1, "server: expected a string, a whole number or a list of"),
        ("[[server]]\nport = 8001", 1, "server: expected a string, a whole number or a list of"),
        ("server.port = 8001", 1, "server: expected a string, a whole number or a list of strings"),
        ("port = {a = 1}", 1, "port: expected a string, a whole number or a list of strings"),
        ("port = 0\nprot = 8001", 2, "prot: no key of this file"),
        ("Port = 8001", 1, "Port: no key of this file"),
        ("--port = 8001", 1, "--port: no key of this file"),
        ('config = "other.toml"', 1, "config: no key of this file"),
        ("help = true", 1, "help: "),
        ("host = 127", 1, "host: expected a string, which stands in quotes, got a number"),
        ("api-key = 12345", 1, "api-key: expected a string, which stands in quotes, got a number"),
        ("model = []", 1, "model: expected at least one value, got none"),
        ('model = ["a/b", ""]', 1, 'model: expected a model of the hub or a directory'),
        ('model = ["a/b", 1]', 1, "model: expected a string, which stands in quotes, got a number"),
        ('model = [["a/b"]]', 1, "model: expected a string, a whole number or a list of strings"),
        ('host = "a\\u0000b"', 1, "host: "),
    ],
)  # fmt: skip
def test_wrong_files(content, line, part, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(content + "\n")
    result = run("serve", *NO_MODEL, "--config", config)
    assert_refused(result, f"embedding-service: {config}:{line}: {part}")
    assert "s3cret" not in result.stderr
    assert "12345" not in result.stderr


@pytest.mark.parametrize(
    "content", [b"\x7fELF\x02\x01\x01\x00", b'host = "\xff"\n', "port = 0".encode("utf-16")]
)
def test_a_file_that_is_no_text(content, tmp_path):
    config = tmp_path / "config.toml"
    config.write_bytes(content)
    assert_refused(run("serve", *NO_MODEL, "--config", config), f"{config}:1: not TOML")


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/no/such/file.toml", "No such file or directory"),
        ("/", "Is a directory"),
        ("/dev/zero", "larger than 1048576 bytes"),
    ],
)
def test_a_file_that_cannot_be_read(path, part):
    for result in (
        run("serve", *NO_MODEL, "--config", path),
        run("serve", *NO_MODEL, env=environment(EMBEDDING_SERVICE_CONFIG=path)),
    ):
        assert_refused(result, f'embedding-service: --config: ', f'"{path}"', part)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfport = 0\r\nhost = \"127.0.0.1\"\r\n",  # BOM, CRLF
        b"# nothing\n",
        b"",
        b"port = 0 # any\nmax-queue = 1_000\n'threads' = 0x1\n",
        b'port = "0"\n',
        b'model = [\n  "/no/such/directory",  # first\n]\n',
        b"default-prompt-name = ''\n",
    ],
)
def test_right_files(content, tmp_path):
    config = tmp_path / "config.toml"
    config.write_bytes(content)
    env = environment(EMBEDDING_SERVICE_PORT="0")
    others = () if b"model" in content else NO_MODEL
    result = run("serve", *others, "--config", config, env=env)
    assert result.returncode == 3, result.stderr
    assert "/no/such/directory" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port=000"],
        ["--threads", "1024"],
        ["--max-batch-tokens", "1000000000"],
        ["--device-timeout", "1000000000"],
        ["--max-queue", "1000000000"],
        ["--max-client-batch-size", "1000000000"],
        ["--max-client-batch-size", "7", "--max-queue", "7"],
        ["--payload-limit", "1000000000000"],
        ["--max-connections", "1000000"],
        ["--shutdown-timeout", "1000000000"],
        ["--default-prompt-name", ""],
        ["--revision", "refs/pr/1"],
    ],
)
def test_values_at_their_limits_are_taken(arguments):
    env = environment(EMBEDDING_SERVICE_PORT="0")
    assert run("serve", *NO_MODEL, *arguments, env=env).returncode == 3


def test_a_leading_zero_does_not_make_a_number_octal():
    with Server(TINY_BGE_M3, "--max-client-batch-size", "010") as server:
        assert server.get("/info").json()["max_client_batch_size"] == 10


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "yes", "Yes", "on", "ON"])
@pytest.mark.parametrize("opposite", [False, True])
def test_switches_take_the_words_of_other_services(value, opposite):
    if opposite:
        words = {"true": "false", "TRUE": "FALSE", "1": "0", "yes": "no", "Yes": "No"}
        value = words.get(value, "off")
    for arguments, variables in [
        ((), {"EMBEDDING_SERVICE_STRICT_MODEL": value}),
        ((f"--strict-model={value}",), {}),
    ]:
        with Server(TINY_BGE_M3, *arguments, env=environment(**variables)) as server:
            response = server.post("/embed", {"texts": ["x"], "model": "another"})
            assert response.status_code == (200 if opposite else 404)


def test_what_is_no_switch_is_told_the_forms():
    result = run("serve", *NO_MODEL, env=environment(EMBEDDING_SERVICE_STRICT_MODEL="maybe"))
    assert_refused(
        result,
        "EMBEDDING_SERVICE_STRICT_MODEL: expected true or false, 1 or 0, yes or no, or on or off",
        'got "maybe"',
    )


@pytest.mark.parametrize("source", ["command line", "environment", "file", "list in the file"])
@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("s3cret", "s3cret"),
        ("s3cret\n", "s3cret"),
        (" s3cret\r\n", "s3cret"),
        ("\ufeffs3cret\n", "s3cret"),
        ("two words", "two words"),
        ("[a,b]", "[a,b]"),
        ("a,b", "a,b"),
        ("a#b", "a#b"),
        ('"quoted"', '"quoted"'),
        ("--port=1", "--port=1"),
    ],
)
def test_a_key_is_what_was_given_but_for_what_surrounds_it(key, sent, source, tmp_path):
    arguments, env = [], environment()
    if source == "command line":
        arguments = [f"--api-key={key}"]
    elif source == "environment":
        env["EMBEDDING_SERVICE_API_KEY"] = key
    else:
        config = tmp_path / "config.toml"
        value = [key, "another"] if source == "list in the file" else key
        config.write_text(f"api-key = {json.dumps(value)}\n")
        arguments = ["--config", config]
    with Server(TINY_BGE_M3, *arguments, env=env) as server:
        assert server.get("/info", headers={"X-API-Key": sent}).status_code == 200
        bearer = {"Authorization": f"Bearer {sent}"}
        assert server.get("/info", headers=bearer).status_code == 200
        for other in ("a", "s3cret,", "two", sent[:-1]):
            assert server.get("/info", headers={"X-API-Key": other}).status_code == 401


def test_two_models_of_one_name_are_refused(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m").symlink_to(TINY_BGE_M3, target_is_directory=True)
    shutil.copytree(TINY_BGE_M3, tmp_path / "z" / TINY_BGE_M3.name)
    for first, second in (
        (TINY_BGE_M3, f"{TINY_BGE_M3}/"),
        (tmp_path / "x" / "m", tmp_path / "y" / "m"),
        (TINY_BGE_M3, tmp_path / "z" / TINY_BGE_M3.name),
    ):
        result = run("serve", "--port", "0", "--model", str(first), "--model", str(second))
        assert_refused(result, f"would both be called \"{TINY_BGE_M3.name}\"")
