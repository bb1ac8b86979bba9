#!/usr/bin/env python3
"""Fails where a file of src/ or include/ includes a header that it may not know.

    scripts/check_layers.py [ROOT]

Five tables: the folders, in the order of knowledge (cli -> app -> { api, hub, cache, redis },
api -> { engine, http }, engine -> backends -> model -> { weights, text }, hub -> model, and everybody may
know base), of which a folder may include from those after it, less those that it is to know nothing of:
http no models, cli not how a vector is computed; the folders within a folder, which nobody knows but themselves and one file;
what of a folder another may know, where that is not all; libraries that one folder alone uses; and
the public headers, each with the folder that it counts as one of. These know nothing but the standard
library and one another. Tests and benchmarks are free.
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
    "cache": {"base"},
    "redis": {"base"},
    "http": {"base"},
    "api": {"engine", "http", "text", "base"},
    "app": {"http", "api", "engine", "hub", "backends", "cache", "redis", "base"},
    "cli": {"app", "http", "hub", "weights", "base"},
}

# The headers below such a path are for the files below it and for those that are named.
CLOSED = {
    "backends/cpu/": {"backends/registry.cc"},
    "backends/cpu/heads/": {"backends/cpu/cpu_session.cc"},
    "backends/cuda/": {"backends/registry.cc"},
    "backends/mlx/": {"backends/mlx_devices.cc"},
}

# A folder, and the headers of another that it may include: api speaks of requests, not of sockets.
PART_OF = {
    ("api", "http"): {"api_keys.h", "client_address.h", "cors.h", "count_answers.h", "handler.h", "message.h",
                      "on_worker.h", "rate_limiter.h", "refusal.h", "router.h"},
    ("cli", "http"): {"succession.h"},
}

# Headers of libraries and of the system, and the paths below which files include them.
ONLY_IN = {
    "boost/": ("http/",),
    "openssl/ssl.h": ("http/", "redis/"),
    "sys/socket.h": ("http/", "app/service_manager.cc"),
    "netinet/": ("http/",),
    "curl/": ("hub/",),
    "hiredis/": ("redis/",),
    "hwy/": ("backends/",),
    "mlx/": ("backends/mlx/",),
}

# The headers of include/embedding/: who may include the folder's headers may include it, and who may
# include engine's may include them all.
PUBLIC = {
    "status.h": "base",
    "result_store.h": "base",
    "byte_budget.h": "base",
    "truncation.h": "text",
    "outputs.h": "model",
    "similarity.h": "model",
    "device.h": "backends",
    "model_info.h": "engine",
    "request.h": "engine",
    "observer.h": "engine",
    "engine.h": "engine",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
STANDARD = re.compile(r"[a-z_]+")


def folder_of(path):
    """The folder that the header or source at `path` counts as one of."""
    folder, _, name = path.partition("/")
    return PUBLIC.get(name) if folder == "embedding" else folder


def problem(path, header, own):
    """Why `path`, below src/ or include/, may not include `header`, which is ours if `own`; None if it may."""
    public = path.startswith("embedding/")
    folder = folder_of(path)
    if public and not (own and header.startswith("embedding/")) and not STANDARD.fullmatch(header):
        return f"a public header may include the standard library and others of its kind, not {header}"
    for library, users in ONLY_IN.items():
        if header.startswith(library) and not path.startswith(users):
            return f"only {' and '.join(users)} may include {header}"
    target = folder_of(header)
    if not own or target not in MAY_INCLUDE:
        return None
    for closed, doors in CLOSED.items():
        if header.startswith(closed) and not path.startswith(closed) and path not in doors:
            return f"{header} is for {closed} and {', '.join(sorted(doors))}"
    part = PART_OF.get((folder, target))
    if part is not None and header.split("/", 1)[1] not in part:
        return f"of {target}/ {folder}/ may include {', '.join(sorted(part))}, not {header}"
    known = MAY_INCLUDE[folder] | {folder}
    if target not in known and not (header.startswith("embedding/") and "engine" in known):
        known = ", ".join(sorted(MAY_INCLUDE[folder])) or "no other folder"
        return f"{folder}/ may not include {header}; it knows {known}"
    return None


def violations(top):
    for path in sorted(top.rglob("*")):
        if path.suffix not in (".cc", ".h", ".inc"):
            continue
        name = path.relative_to(top).as_posix()
        if folder_of(name) not in MAY_INCLUDE:
            yield f"{path}:1: neither it nor its folder is in the tables of {sys.argv[0]}"
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            include = INCLUDE.match(line)
            if not include:
                continue
            why = problem(name, include.group(2), include.group(1) == '"')
            if why:
                yield f"{path}:{number}: {why}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = [line for top in ("src", "include") for line in violations(root / top)]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
