"""Variables of the environment that look like options and are none: those that Kubernetes gives every
pod for the Services beside it, and mistyped ones."""

import pytest

from server import TINY_BGE_M3, Server, environment, run
from test_lifecycle import free_port

# Ends every start that gets past its options, with exit code 3.
NO_MODEL = ("--model", "/no/such/directory")


def service(name, *ports, host="10.96.12.7"):
    """The variables that Kubernetes makes for a Service; a port is a number or (its name, a number)."""
    name = name.upper().replace("-", "_")
    ports = [port if isinstance(port, tuple) else (None, port) for port in ports]
    address = f"[{host}]" if ":" in host else host
    made = {
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",  # which every pod has
        f"{name}_SERVICE_HOST": host,
        f"{name}_SERVICE_PORT": str(ports[0][1]),
        f"{name}_PORT": f"tcp://{address}:{ports[0][1]}",
    }
    for port_name, port in ports:
        if port_name:
            made[f"{name}_SERVICE_PORT_{port_name.upper().replace('-', '_')}"] = str(port)
        prefix = f"{name}_PORT_{port}_TCP"
        made[prefix] = f"tcp://{address}:{port}"
        made |= {f"{prefix}_PROTO": "tcp", f"{prefix}_PORT": str(port), f"{prefix}_ADDR": host}
    return made


def warnings(text):
    return [line for line in text.splitlines() if "[warning]" in line]


@pytest.mark.parametrize(
    ("variables", "ignored"),
    [
        (service("embedding-service", 8001), ["PORT"]),
        (service("embedding-service", ("http", 80), ("metrics", 9090)), ["PORT"]),
        (service("embedding-service", 8001, host="fd00::7"), ["PORT"]),
        (service("embedding", 80), ["HOST", "PORT"]),
        (service("embedding", ("http", 80), ("grpc-web", 81)), ["HOST", "PORT"]),
        (service("embedding", 80, host="fd00::7"), ["HOST", "PORT"]),
        (service("embedding", 80) | service("embedding-service", 8001), ["HOST", "PORT"]),
        (service("embedding-service-model", 80) | service("embedding-service-host", 80), []),
        (service("embedding-service-api", ("https", 443)), []),
        ({"EMBEDDING_SERVICE_PORT": "udp://10.0.0.1:53"}, ["PORT"]),
    ],
)
def test_a_service_of_kubernetes_is_no_option(variables, ignored, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'port = {free_port()}\nhost = "127.0.0.1"\n')
    result = run("serve", *NO_MODEL, "--config", config, env=environment(**variables))
    assert result.returncode == 3, result.stderr  # the file's address is free
    found = warnings(result.stderr)
    assert len(found) == len(ignored), result.stderr
    for line, name in zip(found, ignored):
        assert f"EMBEDDING_SERVICE_{name} is ignored: Kubernetes set it" in line


def test_the_file_and_the_command_line_hold_where_kubernetes_is_ignored(tmp_path):
    port = free_port()
    config = tmp_path / "config.toml"
    config.write_text(f"port = {port}\n")
    env = environment(**service("embedding", 1) | service("embedding-service", 2))
    for arguments in (["--config", config], ["--port", port]):
        with Server(TINY_BGE_M3, *arguments, port=None, env=env) as server:
            assert server.port == port
            assert server.get("/livez").status_code == 200


def test_what_somebody_means_counts_beside_a_service():
    """The pod's own specification comes after Kubernetes' variables."""
    port = free_port()
    env = environment(**service("embedding", 80)) | {
        "EMBEDDING_SERVICE_HOST": "127.0.0.1",
        "EMBEDDING_SERVICE_PORT": str(port),
    }
    with Server(TINY_BGE_M3, port=None, env=env) as server:
        assert server.port == port
        assert warnings(server.stderr()) == []


def test_outside_of_a_pod_a_port_is_what_somebody_means():
    port = free_port()
    env = environment(EMBEDDING_PORT=f"tcp://127.0.0.1:{port}", EMBEDDING_SERVICE_PORT=str(port))
    env.pop("KUBERNETES_SERVICE_HOST", None)
    with Server(TINY_BGE_M3, port=None, env=env) as server:
        assert server.port == port
        assert warnings(server.stderr()) == []


@pytest.mark.parametrize("value", ["tcp://", "tcp://host", "http://10.96.12.7:8001", "tcp://a:b"])
def test_what_is_not_of_kubernetes_form_is_wrong(value):
    variables = service("embedding", 80) | {"EMBEDDING_SERVICE_PORT": value}
    result = run("serve", *NO_MODEL, env=environment(**variables))
    assert result.returncode == 2
    assert "EMBEDDING_SERVICE_PORT: expected a whole number from 0 to 65535" in result.stderr


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("EMBEDDING_SERVICE_MODLE", "did you mean EMBEDDING_SERVICE_MODEL?"),
        ("EMBEDDING_SERVICE_APIKEY", "did you mean EMBEDDING_SERVICE_API_KEY?"),
        ("EMBEDDING_SERVICE_ZZZZZZ", None),
    ],
)
def test_a_mistyped_variable_is_noticed(name, hint):
    result = run("serve", "--port", 0, *NO_MODEL, env=environment(**{name: "s3cret"}))
    assert result.returncode == 3
    (line,) = warnings(result.stderr)
    assert f"the variable {name} belongs to no option" in line
    assert hint in line if hint else "did you mean" not in line
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_around_a_key_are_pointed_out(quote):
    """docker's --env-file keeps them."""
    env = environment(EMBEDDING_SERVICE_API_KEY=f"{quote}s3cret{quote}")
    result = run("serve", "--port", 0, *NO_MODEL, env=env)
    (line,) = warnings(result.stderr)
    assert "an API key stands in quotes" in line
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_open_address_without_a_key_is_pointed_out(host):
    result = run("serve", "--port", 0, "--host", host, *NO_MODEL)
    (line,) = warnings(result.stderr)
    assert "other machines can reach" in line and "--api-key" in line
    for arguments in (["--host", host, "--api-key", "k"], ["--host", "127.0.0.1"], []):
        assert warnings(run("serve", "--port", 0, *arguments, *NO_MODEL).stderr) == []
