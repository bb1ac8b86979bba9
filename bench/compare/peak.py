"""What this machine can do, by bench/peak.cc and bench_linear.cc, in operations a second."""

import json
import subprocess
import sys

from model import ROOT, WORK

PRODUCTS = {"f32": "LinearF32", "bf16": "LinearBf16<DType::kBF16>", "int8": "LinearInt8<DType::kBF16>"}
SHAPE = "rows:512/in:1024/out:3072/gelu:0/real_time"
# A multiplication of halves or quarters of the width does as many more at a time, where the
# processor has it.
FACTOR = {"f32": 1, "bf16": 2, "int8": 4}


def bench_binary():
    """build/release/embedding-bench, or else one built for this."""
    binary = ROOT / "build/release/embedding-bench"
    if binary.exists():
        return binary
    directory = WORK / "bench"
    if not (directory / "embedding-bench").exists():
        print("building embedding-bench", file=sys.stderr, flush=True)
        for command in (
            ["cmake", "-S", ROOT, "-B", directory, "-DCMAKE_BUILD_TYPE=Release", "-DEMBEDDING_BENCH=ON"],
            ["cmake", "--build", directory, "--target", "embedding-bench", "-j2"],
        ):
            subprocess.run(command, check=True, stdout=sys.stderr)
    return directory / "embedding-bench"


def measure(binary):
    """G operations a second: "multiply-add" of f32 by nothing but registers, and the product of
    512 x 1024 x 3072 at each precision that this machine has. Empty where it fails: no reason to
    lose a run of an hour."""
    names = "|".join(PRODUCTS.values())
    try:
        output = subprocess.run(
            [binary, f"--benchmark_filter=^({names})/{SHAPE}$", "--benchmark_format=json",
             "--benchmark_min_time=0.3"], check=True, capture_output=True, text=True).stdout
        runs = json.loads(output)["benchmarks"]
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"peak: {error}", file=sys.stderr, flush=True)
        return {}
    seen = {}
    for run in runs:
        for precision, name in PRODUCTS.items():
            if run["name"].split("/")[0] == name and not run.get("error_occurred"):
                seen[precision] = run["GFLOPS"]
                seen["multiply-add"] = run["GFLOPS"] / run["share_of_f32_peak"]
    return seen
