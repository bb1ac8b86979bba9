import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "npm")]

from npm_project import npm_cache, registry, tarballs  # noqa: E402, F401
