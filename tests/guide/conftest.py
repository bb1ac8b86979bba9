import signal
import sys
from pathlib import Path

# A shell that runs the tests in the background has them ignore it, and so all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "npm")]

from npm_project import npm_cache, registry, tarballs  # noqa: E402, F401
