#!/usr/bin/env python3
"""A Hugging Face hub small enough for tests, and as unreliable as they want it.

    fake_hub.py ROOT LOG BEHAVIOUR

serves the models ROOT/<org>/<name>/ on a free port of the loopback, and their large files from a
second port, which plays the CDN. Prints the first, and goes when its standard input ends. LOG gets
one JSON line per request. BEHAVIOUR is a JSON object of what is to go wrong:

    token          the token that requests of the hub need, else 401
    gated          true: files are refused to everyone, with 403
    fail_first     how many requests are answered with 503, to begin with
    cut            {file: [n, ...]}: its first answers break off after so many bytes
    stall          {file: n}: its first answer goes silent after n bytes
    corrupt        [file]: one byte of it is wrong
    ignore_range   true: always sends whole files
    extra_names    names that the listing claims besides
    etag           an ETag for every file
    redirect_loop  true: files redirect to themselves
"""

import hashlib
import http.server
import json
import os
import pathlib
import sys
import threading

COMMIT = "00112233445566778899aabbccddeeff00112233"
REVISIONS = ("main", "v1.0", "refs/pr/1", COMMIT)
LARGE_SUFFIXES = (".safetensors", ".bin", ".pt")

root = pathlib.Path(sys.argv[1])
log = open(sys.argv[2], "a", buffering=1)
behaviour = json.loads(sys.argv[3])
lock = threading.Lock()


def etag_of(path, data):
    if "etag" in behaviour:
        return behaviour["etag"]
    if path.name.endswith(LARGE_SUFFIXES):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # git's


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # answers are written in pieces

    def log_message(self, *_):
        pass

    def answer(self, status, headers=(), body=b"", keep=None):
        """Sends an answer; after `keep` bytes of its body the connection is cut."""
        with lock:
            log.write(json.dumps({
                "server": self.server.role,
                "method": self.command,
                "path": self.path,
                "status": status,
                "authorization": self.headers.get("Authorization", ""),
                "range": self.headers.get("Range", ""),
            }) + "\n")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[:keep])
        if keep is not None:
            self.wfile.flush()
            self.close_connection = True

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        with lock:
            failing = behaviour.get("fail_first", 0) > 0
            if failing:
                behaviour["fail_first"] -= 1
        if failing:
            return self.answer(503)
        parts = self.path.strip("/").split("/")
        if self.server.role == "cdn":
            return self.send_file("/".join(parts))
        if behaviour.get("token", "") and self.headers.get(
                "Authorization") != "Bearer " + behaviour["token"]:
            return self.answer(401, [("X-Error-Code", "RepoNotFound")])
        if parts[:2] == ["api", "models"] and parts[4] == "revision":
            return self.list_model("/".join(parts[2:4]), parts[5].replace("%2F", "/"))
        if parts[:2] == ["api", "resolve-cache"]:
            return self.send_file("/".join(parts[2:]))
        if len(parts) > 4 and parts[2] == "resolve":
            return self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        self.answer(404)

    def list_model(self, model, revision):
        directory = root / model
        if not directory.is_dir():
            return self.answer(404, [("X-Error-Code", "RepoNotFound")])
        if revision not in REVISIONS:
            return self.answer(404, [("X-Error-Code", "RevisionNotFound")])
        names = [str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()]
        names += behaviour.get("extra_names", [])
        body = json.dumps({"id": model, "sha": COMMIT,
                           "siblings": [{"rfilename": name} for name in sorted(names)]})
        self.answer(200, [("Content-Type", "application/json")], body.encode())

    def resolve(self, model, revision, name):
        path = root / model / name
        if behaviour.get("gated"):
            return self.answer(403, [("X-Error-Code", "GatedRepo")])
        if revision not in REVISIONS or not path.is_file():
            return self.answer(404, [("X-Error-Code", "EntryNotFound")])
        if behaviour.get("redirect_loop"):
            return self.answer(302, [("Location", self.path)])
        headers = [("X-Repo-Commit", COMMIT)]
        if not path.name.endswith(LARGE_SUFFIXES):
            # As the hub does: small files are at another path of the same host.
            headers.append(("Location", f"/api/resolve-cache/{model}/{name}"))
            return self.answer(307, headers)
        data = path.read_bytes()
        headers += [("X-Linked-Etag", f'"{etag_of(path, data)}"'),
                    ("X-Linked-Size", str(len(data))),
                    ("ETag", '"that-of-the-redirect"'),
                    ("Location", f"http://127.0.0.1:{cdn.server_port}/{model}/{name}")]
        self.answer(302, headers, b"Found. Redirecting")

    def send_file(self, where):
        path = root / where
        data = path.read_bytes()
        headers = [("ETag", f'W/"{etag_of(path, data)}"'), ("X-Repo-Commit", COMMIT)]
        if path.name in behaviour.get("corrupt", []):
            data = data[:-1] + bytes([data[-1] ^ 1])
        status, begin = 200, 0
        wanted = self.headers.get("Range")
        if wanted and not behaviour.get("ignore_range"):
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
            status = 206
            headers.append(("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}"))
        keep = None
        if self.command == "GET":
            with lock:
                cuts = behaviour.get("cut", {}).get(path.name, [])
                if cuts:
                    keep = cuts.pop(0)
                stall = behaviour.get("stall", {}).pop(path.name, None)
            if stall is not None:
                self.answer(status, headers, data[begin:], stall)
                threading.Event().wait()  # silent until the process ends
        self.answer(status, headers, data[begin:], keep)


def start(role):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.role = role
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


cdn = start("cdn")
hub = start("hub")
print(hub.server_port, flush=True)
sys.stdin.read()
os._exit(0)
