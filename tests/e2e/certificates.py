"""Certificates that the tests make themselves, with the openssl command."""

import subprocess


def make_certificate(directory, name="server", days=2):
    """A self-signed certificate for localhost and 127.0.0.1: (certificate, key), files in PEM."""
    certificate, key, request = (directory / f"{name}.{ending}" for ending in ("pem", "key", "csr"))
    names = directory / "names"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", request, "-subj", "/CN=localhost")
    openssl("x509", "-req", "-in", request, "-signkey", key, "-out", certificate, "-days", days,
            "-extfile", names)
    return certificate, key


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def protect(key, passphrase="secret"):
    """The same key behind a passphrase."""
    protected = key.with_suffix(".protected")
    openssl("pkey", "-in", key, "-aes256", "-passout", f"pass:{passphrase}", "-out", protected)
    return protected
