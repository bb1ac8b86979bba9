"""Builds with MLX, as folders of build/: what they install, and what they do where there is no GPU."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "e2e"))
# The build that is tested: that of the program.
BUILD = Path(os.environ["EMBEDDING_SERVICE_BIN"]).resolve().parent


def run(*command):
    result = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
