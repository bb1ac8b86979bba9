"""What is in the package, and what the program in it computes."""

import json
import re
import subprocess

import numpy as np
import pytest
from npm_project import VERSION, Elf
from server import DATA, MINILM, PATIENCE_S, Server, environment

# What they have beside NEON: bf16 and products of matrices; dot products of bytes; nothing.
CPUS = ["max", "cortex-a76", "cortex-a72"]
MOST_BYTES = 15_000_000
# Between processors, whose f32 sums are rounded in other orders.
MAX_DIFFERENCE = 1e-5

ROWS = json.loads((DATA / "expected" / "dense.all-MiniLM-L6-v2.json").read_text())[:8]
TEXTS = [row["text"] for row in ROWS]
REFERENCE = np.array([row["embedding"] for row in ROWS], dtype=np.float32)


def vectors(*arguments, dtype="f32", program=None):
    command = {} if program is None else {"program": program}
    with Server(MINILM, "--dtype", dtype, *arguments, **command) as server:
        response = server.post("/embed", {"texts": TEXTS})
        assert response.status_code == 200, response.text
        return np.array(response.json()["embeddings"], dtype=np.float32)


def least_cosine(a, b):
    return ((a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min()


def test_it_is_for_arm_alone_and_needs_the_c_library_alone(package):
    manifest = json.loads((package.folder / "package.json").read_text())
    assert (manifest["name"], manifest["version"]) == ("@embedding-service/linux-arm64", VERSION)
    assert (manifest["os"], manifest["cpu"], manifest["libc"]) == (["linux"], ["arm64"], ["glibc"])
    elf = Elf(package.program)
    assert elf.machine == "EM_AARCH64"
    assert {n for n in elf.libraries if not n.startswith("ld-linux")} == {"libc.so.6", "libm.so.6"}
    assert manifest["embeddingService"]["glibc"] == "%d.%d" % max(elf.glibc)[:2]
    assert max(elf.glibc) <= (2, 35)  # Ubuntu 22.04
    assert package.program.stat().st_size <= MOST_BYTES and package.tarball.stat().st_size <= MOST_BYTES / 2
    licences = (package.folder / "THIRD_PARTY_LICENCES").read_text()
    for library in ("OpenSSL", "curl", "fmt", "simdjson", "Highway|highway|Copyright.*Google", "Boost"):
        assert re.search(library, licences), library


def run(package, cpu, *arguments):
    return subprocess.run([*package.on(cpu), *map(str, arguments)], env=environment(), capture_output=True, text=True,
                          timeout=PATIENCE_S)  # fmt: skip


def test_it_runs(package):
    result = run(package, "cortex-a72", "--version")
    assert result.returncode == 0 and VERSION in result.stdout, result


@pytest.mark.parametrize("cpu", CPUS)
def test_f32_vectors_are_those_of_other_processors(package, cpu):
    on_arm = vectors(program=package.on(cpu))
    assert np.abs(on_arm - vectors()).max() < MAX_DIFFERENCE
    assert np.abs(on_arm - REFERENCE).max() < 2e-5


def test_int8_sums_are_the_same_whatever_sums_them(package):
    """They are exact, and all else is computed by NEON; --instruction-set leaves of a processor what a smaller one has."""
    dotprod, neon = (vectors(dtype="int8", program=package.on(cpu)) for cpu in ("cortex-a76", "cortex-a72"))
    assert np.array_equal(dotprod, neon)
    assert least_cosine(dotprod, REFERENCE) > 0.99
    for limit in ("neon", "dotprod"):
        assert np.array_equal(vectors("--instruction-set", limit, dtype="int8", program=package.on("max")), neon)


def test_bf16_is_native_where_the_processor_has_it(package):
    native = vectors(dtype="auto", program=package.on("max"))
    assert not np.array_equal(native, vectors(dtype="f32", program=package.on("max")))
    assert least_cosine(native, REFERENCE) > 0.9995
    refused = run(package, "cortex-a76", "serve", "--model", MINILM, "--port", 0, "--dtype", "bf16")
    assert refused.returncode == 5 and "does not multiply bf16" in refused.stderr


@pytest.mark.parametrize("limit, says", [("avx2", "only an x86-64 processor"), ("dotprod", "does not have NEON's dot")])
def test_an_instruction_set_that_is_not_there(package, limit, says):
    result = run(package, "cortex-a72", "serve", "--model", MINILM, "--port", 0, "--instruction-set", limit)
    assert result.returncode == 5 and says in result.stderr, result
