"""rediss://, where hiredis has its TLS part; elsewhere it is refused."""

import subprocess

import pytest

from redis_server import Redis, until
from server import TINY_BGE_M3, Server, environment, run
from test_cache import is_up, raw


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a certificate of itself for 127.0.0.1, in one file each."""
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=redis",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)  # fmt: skip
    return key, certificate


@pytest.fixture
def redis(certificate):
    probe = run("serve", "--model", TINY_BGE_M3, "--cache", "rediss://:hidden-word@h:0")
    if "needs hiredis" in probe.stderr:
        assert probe.returncode == 2 and "hidden-word" not in probe.stderr
        pytest.skip("this build's hiredis has no TLS, which the refusal says")
    key, cert = certificate
    redis = Redis(password="right-secret", scheme="rediss")
    redis.arguments = ("--port", 0, "--tls-port", redis.port, "--tls-cert-file", cert, "--tls-key-file",
                       key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no")  # fmt: skip
    with redis:
        yield redis


def served(redis, **variables):
    return Server(TINY_BGE_M3, "--cache", "0", "--cache", redis.url(), env=environment(**variables))


def test_results_go_and_come_encrypted(redis, certificate):
    texts = [f"text {i}" for i in range(100)]
    with served(redis, SSL_CERT_FILE=str(certificate[1])) as server:
        until(lambda: is_up(server), "Redis")
        computed = raw(server, texts)[1]
        until(lambda: raw(server, texts) == ("100/100", computed), "the entries")
        redis.kill()
        assert raw(server, texts)[0] == "0/100"
        redis.start()
        until(lambda: is_up(server), "Redis again")


def test_a_certificate_that_nobody_vouches_for_is_refused(redis):
    with served(redis) as server:
        assert raw(server, ["text"])[0] == "0/1"
        until(lambda: "computed without it" in server.stderr() + server.stdout(), "the log's line")
        log = server.stderr() + server.stdout()
        assert "certificate verify failed" in log
        assert "secret" not in log
        assert not is_up(server)


def test_a_certificate_for_another_host_is_refused(redis, certificate):
    env = environment(SSL_CERT_FILE=str(certificate[1]))
    url = redis.url().replace("127.0.0.1", "localhost")
    with Server(TINY_BGE_M3, "--cache", url, env=env) as server:
        until(lambda: "computed without it" in server.stderr() + server.stdout(), "the log's line")
        assert not is_up(server)
