"""--print-config: what is in force, and where it comes from."""

import tomllib

from server import environment, run


def shown(*arguments, env=None):
    result = run("serve", *arguments, "--print-config", env=env or environment())
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return result.stdout


def line_of(text, key):
    [line] = [line for line in text.splitlines() if line.removeprefix("# ").startswith((key + " =", key + ":"))]
    return line


def test_each_value_names_its_source(tmp_path):
    file = tmp_path / "server.toml"
    file.write_text('# mine\nhost = "::1"\nport = 1\nmodel = ["a", "b\\\\c \\"d\\""]\n')
    env = environment(EMBEDDING_SERVICE_PORT="2", EMBEDDING_SERVICE_MAX_QUEUE="7")
    text = shown("--config", file, "--threads", "3", env=env)
    assert line_of(text, "host").endswith(f"# {file}:2")
    assert line_of(text, "port") .endswith("# EMBEDDING_SERVICE_PORT")
    assert line_of(text, "threads").endswith("# --threads")
    assert line_of(text, "pooling").endswith("# default")
    values = tomllib.loads(text)
    assert values["model"] == ["a", 'b\\c "d"']
    assert (values["host"], values["port"], values["threads"], values["max-queue"]) == ("::1", 2, 3, 7)
    assert (values["pooling"], values["strict-model"]) == ("auto", False)
    assert line_of(text, "cors-origin").startswith("# cors-origin: not set")


def test_it_is_a_file_of_the_same_configuration(tmp_path):
    first = shown("--port", "9000", "--cors-origin", "*", "--cors-origin", "http://localhost:3000")
    file = tmp_path / "again.toml"
    file.write_text(first)
    again = shown("--config", file)
    assert tomllib.loads(again) == tomllib.loads(first)
    assert line_of(again, "config").startswith(f"# config: {file}")


def test_keys_are_not_shown(tmp_path):
    file = tmp_path / "server.toml"
    file.write_text('api-key = ["first-secret", "second-secret"]\n')
    text = shown("--config", file)
    assert "secret" not in text
    assert line_of(text, "api-key").startswith("# api-key: 2 not shown")
    text = shown("--cache", "redis://me:pa/ss@word@localhost:1/0")
    assert tomllib.loads(text)["cache"] == ["redis://me:***@localhost:1/0"]
    text = shown(env=environment(EMBEDDING_SERVICE_API_KEY="third-secret"))
    assert "third" not in text and "1 not shown" in text


def test_it_is_a_word_of_the_command_line_alone(tmp_path):
    file = tmp_path / "server.toml"
    file.write_text("print-config = true\n")
    result = run("serve", "--config", file)
    assert result.returncode == 2 and "print-config: no key of this file" in result.stderr
    result = run("serve", "--print-config=no")
    assert result.returncode == 2 and "takes no value" in result.stderr
