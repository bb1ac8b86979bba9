"""A hub with one model, which it does not give away until the test opens the gate.

So a test decides how long the binary loads, without a clock.
"""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "some-org/some-model"
WEIGHTS = "pytorch_model.bin"  # of which the second half may be kept back
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class GatedHub:
    def __init__(self, directory):
        self.gate = threading.Event()
        self.second_half = threading.Event()  # of the weights; open unless the test closes it
        self.second_half.set()
        files = {
            str(path.relative_to(directory)): path.read_bytes()
            for path in directory.rglob("*")
            if path.is_file()
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(files, self.gate, self.second_half))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.gate.set()
        self.second_half.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(files, gate, second_half):
    listing = {"sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            gate.wait()
            name = self.path.removeprefix(f"/{MODEL}/resolve/{COMMIT}/")
            if self.path == f"/api/models/{MODEL}/revision/main":
                self._send(json.dumps(listing).encode())
            elif name in files:
                self._send(files[name])
            else:
                self.send_error(404)

        def _send(self, content):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.end_headers()
            if self.command == "GET":
                half = len(content) // 2 if self.path.endswith(WEIGHTS) else 0
                self.wfile.write(content[:half])
                self.wfile.flush()
                if half:
                    second_half.wait()
                self.wfile.write(content[half:])

        def log_message(self, *arguments):
            pass

    return Handler
