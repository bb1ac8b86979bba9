"""A registry of npm on this machine, which has the packed packages and no others."""

import base64
import hashlib
import http.server
import json
import tarfile
import threading
import urllib.parse


def read_manifest(tarball):
    with tarfile.open(tarball) as archive:
        return json.load(archive.extractfile("package/package.json"))


class Registry:
    """A context manager. `tarballs` are .tgz files; `elsewhere` manifests of packages that have none here."""

    def __init__(self, tarballs, elsewhere=()):
        self.packuments, self.files = {}, {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        for tarball in tarballs:
            content = tarball.read_bytes()
            self.files["/files/" + tarball.name] = content
            digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
            self._add(read_manifest(tarball), tarball.name, digest)
        for manifest in elsewhere:
            self._add(manifest, "none.tgz", "")

    def _add(self, manifest, file, digest):
        dist = {"tarball": f"{self.url}files/{file}", "integrity": f"sha512-{digest}"}
        self.packuments["/" + manifest["name"]] = {
            "name": manifest["name"],
            "dist-tags": {"latest": manifest["version"]},
            "versions": {manifest["version"]: {**manifest, "dist": dist}},
        }

    def _handler(self):
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = urllib.parse.unquote(self.path)
                if path in registry.packuments:
                    body = json.dumps(registry.packuments[path]).encode()
                else:
                    body = registry.files.get(path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *arguments):
                pass

        return Handler

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.server.server_close()
