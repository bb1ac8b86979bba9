#!/usr/bin/env python3
"""Fails where a file of src/ includes a header of a folder that it may not know.

    scripts/check_layers.py [SRC]

The table is the order of knowledge: cli -> { serve, hub }, serve -> api -> engine -> backends ->
model -> { weights, text }, hub -> model, and everybody may know base. A folder may include from those after it,
less those that it is to know nothing of: serve no models, cli not how a vector is computed. Tests and
benchmarks are free.
"""

import pathlib
import re
import sys

# A folder, and the folders besides its own that it may include from.
MAY_INCLUDE = {
    "base": set(),
    "text": {"base"},
    "weights": {"base"},
    "model": {"text", "weights", "base"},  # what a model's files say of its tokenizer
    "backends": {"model", "weights", "base"},  # a backend is built from a model's tensors
    "engine": {"text", "weights", "model", "backends", "base"},
    "hub": {"model", "weights", "base"},
    "api": {"engine", "text", "base"},
    "serve": {"api", "base"},
    "cli": {"serve", "api", "engine", "hub", "model", "weights", "base"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def violations(src):
    for path in sorted(src.rglob("*")):
        if path.suffix not in (".cc", ".h", ".inc"):
            continue
        folder = path.relative_to(src).parts[0]
        if folder not in MAY_INCLUDE:
            yield f"{path}:1: the folder {folder}/ is not in {sys.argv[0]}'s table"
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            include = INCLUDE.match(line)
            if not include:
                continue
            target = include.group(1).split("/")[0]
            if target not in MAY_INCLUDE or target == folder:  # a library's, or its own
                continue
            if target not in MAY_INCLUDE[folder]:
                known = ", ".join(sorted(MAY_INCLUDE[folder])) or "no other folder"
                yield (f"{path}:{number}: {folder}/ may not include {include.group(1)}; "
                       f"it knows {known}")


def main():
    src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                       pathlib.Path(__file__).parent.parent / "src")
    found = list(violations(src))
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
