#!/usr/bin/env python3
"""Whether a Mac could load a program: each symbol that it leaves undefined is exported by the library that it is
said to be in, each of these libraries is one of those given, and those that are said to be in a folder of the
program's list are there.

    check_macho.py PROGRAM LIBRARY...   a LIBRARY is a .dylib, or a .tbd, the text that Apple's linker takes for one

Needs what scripts/macos/requirements.txt names.
"""

import collections
import re
import sys
from pathlib import Path

import lief
import yaml

lief.logging.disable()


def read_stub(path):
    """What the libraries of a text stub export, by their names: those that they export again too."""
    text = re.sub(r"^--- !tapi-tbd.*$", "---", path.read_text(), flags=re.MULTILINE)
    own, again = {}, collections.defaultdict(set)
    for document in yaml.load_all(text, Loader=yaml.CBaseLoader):
        name = document["install-name"]
        own[name] = {
            symbol
            for part in (*document.get("exports", ()), *document.get("reexports", ()))
            if any(target.startswith("arm64") for target in part["targets"])
            for kind in ("symbols", "weak-symbols", "thread-local-symbols")
            for symbol in part.get(kind, ())
        }
        for part in document.get("reexported-libraries", ()):
            again[name].update(part["libraries"])

    def exported(name, seen):
        if name in seen or name not in own:
            return set()
        seen.add(name)
        return own[name].union(*(exported(other, seen) for other in again[name]))

    return {name: exported(name, set()) for name in own}


def read_library(path):
    if path.suffix == ".tbd":
        return read_stub(path)
    library = lief.parse(str(path))
    names = [command.name for command in library.commands if command.command == lief.MachO.LoadCommand.TYPE.ID_DYLIB]
    return {names[0]: {symbol.name for symbol in library.exported_symbols}}


def main(program, *libraries):
    binary = lief.parse(program)
    header = binary.header
    if header.cpu_type != lief.MachO.Header.CPU_TYPE.ARM64 or header.file_type != lief.MachO.Header.FILE_TYPE.EXECUTE:
        sys.exit(f"check_macho.py: {program} is no program for Apple silicon")
    exports = {}
    for path in libraries:
        exports.update(read_library(Path(path)))
    loaded = [library.name for library in binary.libraries]
    problems = [f"{name}: loaded, and nothing is known of it" for name in loaded if name not in exports]
    folders = [Path(path.path) for path in binary.rpaths]
    for name in loaded:
        if name.startswith("@rpath/") and not any((folder / name.removeprefix("@rpath/")).exists() for folder in folders):
            problems.append(f"{name}: in none of the folders that the program names: {folders}")
    found = collections.Counter()
    # What is bound and not undefined is the program's own, which a library may replace.
    undefined = [symbol for symbol in binary.symbols if symbol.category == lief.MachO.Symbol.CATEGORY.UNDEFINED]
    for symbol in undefined:
        if not 1 <= symbol.library_ordinal <= len(loaded):
            problems.append(f"{symbol.name}: bound to no library")
            continue
        holder = loaded[symbol.library_ordinal - 1]
        if symbol.name not in exports.get(holder, ()):
            problems.append(f"{symbol.name}: not in {holder}")
        found[holder] += 1
    for name in loaded:
        print(f"{found[name]:5} symbols of {name}")
    if problems or not undefined:
        sys.exit("\n".join(["check_macho.py: a Mac could not load it", *(problems or ["nothing is undefined"])]))
    print(f"{len(undefined)} undefined symbols, each in the library that it is bound to")


if __name__ == "__main__":
    main(*sys.argv[1:])
