#!/usr/bin/env python3
"""Builds and runs examples/library, a project that has this one as a subdirectory.

    check.py BUILD_DIRECTORY MODEL [arguments of CMake's configuration]

Fails if a compile or link option of this project's own, or a build type, reached the example's. It may
have the standard and what other libraries' headers need: definitions and folders.
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "examples/library"
ALLOWED_TO_COMPILE = re.compile(r"-(D(FMT|SPDLOG|SIMDJSON|UTF8PROC|HWY_SHARED|DNNL)\w*(=\w+)?|std=gnu\+\+20|[co])")
ALLOWED_TO_LINK = re.compile(r"-(l\w+|rdynamic|pthread|o|Wl,-rpath\S*)")


def run(*command):
    print("+", *command, flush=True)
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout


def options(command):
    """What begins with a dash in a command line, but folders of headers."""
    arguments = iter(shlex.split(command)[1:])
    for argument in arguments:
        if argument in ("-I", "-isystem"):
            next(arguments)
        elif argument.startswith("-") and not argument.startswith("-I"):
            yield argument


def main():
    build, model, *configuration = sys.argv[1:]
    build = pathlib.Path(build)
    # Without a build type, whatever the environment says.
    run("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=",
        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *configuration)
    run("cmake", "--build", build)
    commands = json.loads((build / "compile_commands.json").read_text())
    [compiled] = [row["command"] for row in commands if row["file"] == str(SOURCE / "main.cc")]
    linked = run("ninja", "-C", build, "-t", "commands", "-s", "embedding-example")
    linked = linked.strip().splitlines()[-1].split("&&")[1]
    for command, allowed in ((compiled, ALLOWED_TO_COMPILE), (linked, ALLOWED_TO_LINK)):
        leaked = [option for option in options(command) if not allowed.fullmatch(option)]
        if leaked:
            sys.exit(f"options that are this project's own reached the example's: {leaked}\n{command}")
    cache = (build / "CMakeCache.txt").read_text()
    if (found := re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.M)) and found[1]:
        sys.exit(f"the example has got a build type: {found[1]}")
    answer = run(build / "embedding-example", model, "Hello, world!", "Hello, world!").strip()
    print(answer)
    if not answer.endswith("cosine 1.0000"):
        sys.exit("equal texts have other vectors")


if __name__ == "__main__":
    main()
