"""The fake hub of the unit tests (tests/hub/fake_hub.py), for the real binary."""

import json
import subprocess
import sys

from server import ROOT, environment


class FakeHub:
    """A context manager. `models` are directories by the name that the hub has for them."""

    def __init__(self, folder, models, **behaviour):
        self._log = folder / "hub.log"
        root = folder / "hub-root"
        for name, directory in models.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            if not (root / name).exists():
                (root / name).symlink_to(directory)
        self._process = subprocess.Popen(
            [sys.executable, ROOT / "tests" / "hub" / "fake_hub.py", root, self._log, json.dumps(behaviour)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def environment(self, cache, **variables):
        return environment(HF_ENDPOINT=self.url, HF_HUB_CACHE=str(cache), HF_HUB_OFFLINE="0", **variables)

    def requests(self, method, name):
        """The requests of that method for the file of that name that the CDN has been sent."""
        lines = map(json.loads, self._log.read_text().splitlines())
        return [r for r in lines if r["server"] == "cdn" and r["method"] == method and r["path"].endswith(name)]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.stdin.close()
        self._process.wait()
