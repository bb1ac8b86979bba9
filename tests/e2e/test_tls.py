"""TLS by the server itself: what clients see, what a certificate may be, and its replacement."""

import signal
import ssl
import subprocess

import pytest
import requests
from certificates import make_certificate, protect
from server import PATIENCE_S, TINY_BGE_M3, Server, run, wait_for


class TlsServer(Server):
    def __init__(self, certificate, key, *arguments, **options):
        self.certificate = certificate
        super().__init__(
            TINY_BGE_M3, "--tls-certificate", certificate, "--tls-key", key, *arguments, **options)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def get(self, path, **kwargs):
        return super().get(path, **{"verify": self.certificate, **kwargs})

    def post(self, path, json=None, **kwargs):
        return super().post(path, json, **{"verify": self.certificate, **kwargs})

    def openssl(self, *options):
        """What openssl's client says of a connection, and sends GET / over it."""
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-CAfile", self.certificate,
             *options],
            input="GET /livez HTTP/1.0\r\n\r\n", capture_output=True, text=True, timeout=PATIENCE_S)

    def shown_certificate(self):
        return ssl.get_server_certificate(("127.0.0.1", self.port))


@pytest.fixture
def files(tmp_path):
    return make_certificate(tmp_path)


def test_answers_over_tls_what_it_answers_without(files):
    with TlsServer(*files) as server, Server(TINY_BGE_M3) as plain:
        assert f"running on {server.url}\n" in server.stdout()
        body = {"texts": ["Привет, мир", "x y " * 300] * 5, "return_colbert_vecs": True}
        with requests.Session() as session:
            session.trust_env = False  # REQUESTS_CA_BUNDLE would win
            session.verify = files[0]
            for _ in range(3):  # over one connection
                answer = session.post(server.url + "/embed", json=body, timeout=PATIENCE_S)
                assert answer.json() == plain.post("/embed", body).json()
        assert server.get("/health").json() == plain.get("/health").json()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_speaks_todays_versions(files, version):
    with TlsServer(*files) as server:
        told = server.openssl(version, "-verify_return_error", "-alpn", "h2,http/1.1", "-ign_eof")
        assert "Verify return code: 0 (ok)" in told.stdout
        assert "ALPN protocol: http/1.1" in told.stdout
        assert '{"status":"alive"}' in told.stdout


def test_refuses_what_is_no_longer_safe_and_goes_on(files):
    with TlsServer(*files) as server:
        old = server.openssl("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
        assert "alive" not in old.stdout and old.returncode != 0
        assert "HTTP" not in server.exchange(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n").decode("latin-1")
        with server.connect() as silent:  # never speaks
            assert server.get("/livez").status_code == 200
            silent.sendall(b"\x16\x03\x01")
            assert server.get("/livez").status_code == 200


def test_takes_over_a_new_certificate_at_sighup(files, tmp_path):
    certificate, key = files
    with TlsServer(*files) as server, requests.Session() as session:
        session.trust_env, session.verify = False, certificate
        session.get(server.url + "/livez", timeout=PATIENCE_S)
        before = server.shown_certificate()
        fresh, fresh_key = make_certificate(tmp_path, "fresh")
        certificate.write_bytes(fresh.read_bytes())
        key.write_bytes(fresh_key.read_bytes())
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: server.shown_certificate() != before)
        assert server.shown_certificate() == fresh.read_text()
        # Over the connection that there was, by the old certificate.
        assert session.get(server.url + "/livez", timeout=PATIENCE_S).status_code == 200

        certificate.write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "stays as it was" in server.stderr())
        assert "--tls-certificate" in server.stderr()
        assert server.shown_certificate() == fresh.read_text()


def test_a_client_that_does_not_shake_hands_holds_up_no_stop(files):
    with TlsServer(*files, "--shutdown-timeout", "100000") as server, server.connect() as silent:
        assert server.get("/livez").status_code == 200
        assert server.stop() == 0
        assert silent.recv(1) == b""


def test_what_it_cannot_use_is_an_error_that_says_so(files, tmp_path):
    certificate, key = files
    other = make_certificate(tmp_path, "other")
    empty = tmp_path / "empty.pem"
    empty.touch()
    for arguments, said in [
        (["--tls-certificate", certificate], "--tls-key"),
        (["--tls-key", key], "--tls-certificate"),
        (["--tls-certificate", tmp_path / "none.pem", "--tls-key", key], "No such file"),
        (["--tls-certificate", empty, "--tls-key", key], "it is empty"),
        (["--tls-certificate", key, "--tls-key", key], "expected certificates in PEM"),
        (["--tls-certificate", certificate, "--tls-key", certificate], "expected a private key in PEM"),
        (["--tls-certificate", certificate, "--tls-key", other[1]], "is not the key of the certificate"),
        (["--tls-certificate", certificate, "--tls-key", protect(key)], "passphrase"),
    ]:
        result = run("serve", "--model", TINY_BGE_M3, "--port", 0, *arguments)
        assert (result.returncode, said in result.stderr) == (2, True), result.stderr
        assert result.stderr.count("\n") == 1, result.stderr


def test_warns_of_a_certificate_whose_time_has_passed(tmp_path):
    with TlsServer(*make_certificate(tmp_path, days=-1)) as server:
        assert "time has passed" in server.stderr()
        assert server.get("/livez", verify=False).status_code == 200
