#!/usr/bin/env python3
"""Builds and runs the program of examples/library.

    check.py BUILD_DIRECTORY MODEL [--install BUILD_TREE] [arguments of CMake's configuration]

With --install against what `cmake --install BUILD_TREE` installs, a server among it, which is moved to
another folder first; else as part of a project that has this one as a subdirectory.

Fails if an option, a folder of headers or a build type of this project's own reached the program's. It
may have the standard and the folder of the public headers.
"""

import argparse
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXAMPLE = ROOT / "examples/library"
ALLOWED_TO_COMPILE = re.compile(r"-(std=gnu\+\+20|[co])")
ALLOWED_TO_LINK = re.compile(r"-(l\w+|rdynamic|pthread|o|Wl,-rpath\S*)")


def run(*command):
    print("+", *command, flush=True)
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout


def arguments_of(command):
    """What begins with a dash in a command line, and its folders of headers."""
    options, folders = [], []
    arguments = iter(shlex.split(command)[1:])
    for argument in arguments:
        if argument in ("-I", "-isystem"):
            folders.append(next(arguments))
        elif argument.startswith("-I"):
            folders.append(argument[2:])
        elif argument.startswith("-"):
            options.append(argument)
    return options, folders


def install(tree, build):
    """The prefix below which the build tree is installed, not the one that the installation was told."""
    told, prefix = build / "installed", build / "moved"
    for folder in (told, prefix):
        shutil.rmtree(folder, ignore_errors=True)
    run("cmake", "--install", tree, "--prefix", told)
    told.rename(prefix)
    print(run(prefix / "bin/embedding-service", "--version").strip())
    return prefix


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("model")
    parser.add_argument("--install", metavar="BUILD_TREE")
    wanted, configuration = parser.parse_known_args()
    build = wanted.build.resolve()
    source, headers = HERE / "subdirectory", ROOT / "include"
    if wanted.install:
        prefix = install(wanted.install, build)
        source, headers = EXAMPLE, prefix / "include"
        configuration.append(f"-DCMAKE_PREFIX_PATH={prefix}")
    # Without a build type, whatever the environment says.
    run("cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=",
        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *configuration)
    run("cmake", "--build", build)
    commands = json.loads((build / "compile_commands.json").read_text())
    [compiled] = [row["command"] for row in commands if row["file"] == str(EXAMPLE / "main.cc")]
    linked = run("ninja", "-C", build, "-t", "commands", "-s", "embedding-example")
    linked = linked.strip().splitlines()[-1].split("&&")[1]
    for command, allowed in ((compiled, ALLOWED_TO_COMPILE), (linked, ALLOWED_TO_LINK)):
        leaked = [option for option in arguments_of(command)[0] if not allowed.fullmatch(option)]
        if leaked:
            sys.exit(f"options that are this project's own reached the program's: {leaked}\n{command}")
    if (folders := arguments_of(compiled)[1]) != [str(headers)]:
        sys.exit(f"the program is compiled with the headers of {folders}, not of {headers}")
    cache = (build / "CMakeCache.txt").read_text()
    if (found := re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.M)) and found[1]:
        sys.exit(f"the program has got a build type: {found[1]}")
    answer = run(build / "embedding-example", wanted.model, "Hello, world!", "Hello, world!").strip()
    print(answer)
    if not answer.endswith("cosine 1.0000"):
        sys.exit("equal texts have other vectors")


if __name__ == "__main__":
    main()
