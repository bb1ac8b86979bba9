import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from npm_project import empty_project, npm_cache, project, registry, tarballs  # noqa: E402, F401

# A shell that runs the tests in the background has them ignore it, and so all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
