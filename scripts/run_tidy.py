#!/usr/bin/env python3
"""Runs clang-tidy over files: run_tidy.py BUILD FILE...; BUILD has compile_commands.json.

A file that passed is not looked at again until what the compiler sees of it, its flags, the checks
or clang-tidy itself change: ~/.cache/embedding-service/tidy (XDG_CACHE_HOME) remembers. Exits 1 if
a file does not pass.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "embedding-service/tidy"


def flags_of(entry):
    """The compiler's command without what names its output."""
    command = shlex.split(entry["command"]) if "command" in entry else list(entry["arguments"])
    if os.path.basename(command[0]) == "ccache":
        del command[0]
    output = command.index("-o")
    return command[:output] + command[output + 2 :]


def key_of(entry, common):
    """What the verdict depends on. Comments are part of it: NOLINT is one."""
    flags = [flag for flag in flags_of(entry) if flag != "-c"]
    seen = subprocess.run([*flags, "-E", "-C", "-P"], cwd=entry["directory"], capture_output=True, check=True).stdout
    # Wherever the tree lies, its verdicts are the same.
    text = " ".join(flags).replace(str(ROOT), "") + "\0" + common
    return hashlib.sha256(text.encode() + b"\0" + seen.replace(str(ROOT).encode(), b"")).hexdigest()


def passes(build, file, entry, common):
    mark = CACHE / key_of(entry, common)
    if mark.exists():
        return True
    # BUILD may be g++'s, which has warnings that clang has not.
    command = ["clang-tidy", "--quiet", "--extra-arg=-Wno-unknown-warning-option", "-p", build, file]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        print(result.stdout + result.stderr, flush=True)
        return False
    mark.touch()
    return True


def main():
    build, *files = sys.argv[1:]
    CACHE.mkdir(parents=True, exist_ok=True)
    entries = {entry["file"]: entry for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text())}
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    common = version + (ROOT / ".clang-tidy").read_text()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(lambda file: passes(build, file, entries[str(ROOT / file)], common), files)
        return 0 if all(list(verdicts)) else 1


if __name__ == "__main__":
    sys.exit(main())
