"""A real nginx in front of a server: unprivileged, in a folder of its own, on a free port of the loopback."""

import shutil
import socket
import subprocess
import time

from server import PATIENCE_S

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}{tls};
    location / {{
      proxy_pass {upstream};
      {directives}
    }}
  }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class Nginx:
    """Passes everything on to `upstream`. A context manager: stopped by its pid at the end."""

    def __init__(self, folder, upstream, directives, certificate=None):
        """Over TLS with a certificate, which is (certificate, key)."""
        self.port = free_port()
        self.scheme = "https" if certificate else "http"
        tls = ""
        if certificate:
            tls = " ssl; ssl_certificate {}; ssl_certificate_key {}".format(*certificate)
        self.log = folder / "error.log"
        configuration = folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                port=self.port,
                tls=tls,
                upstream=upstream,
                directives=directives,
            )
        )
        # Debian has it where the PATH of others than root does not lead.
        command = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [command, "-p", str(folder), "-e", str(self.log), "-c", str(configuration)]
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.process.kill()
                    raise RuntimeError(f"nginx did not start:\n{self.log.read_text()}") from None
                time.sleep(0.02)

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
