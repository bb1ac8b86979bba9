"""Times this server and its alternatives over HTTP, in turn in one run; prints a Markdown report."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys

import accuracy
import measure
import peak
import report
from engines import Settings, all_engines, ours
from model import ROOT, WORK, read_model
from texts import LATENCY, LOAD, TextMaker

PRECISIONS = ("f32", "bf16", "int8")


def names(allowed):
    """A type of argument: names of `allowed` with commas between."""

    def parse(text):
        chosen = text.split(",") if text else []
        if unknown := set(chosen) - set(allowed):
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not of {', '.join(allowed)}")
        return chosen

    return parse


def arguments():
    parser = argparse.ArgumentParser(prog="bench/compare/run.sh", description=__doc__)
    engines = ["ours", "st", "onnx", "openvino", "llama-f32", "llama-bf16", "llama-f16", "llama-q8_0"]
    cases = [*LATENCY, *LOAD]
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "build/bge-m3-size",
                        help="directory (default: one of bge-m3's size); build/bge-m3-size, "
                        "build/nomic-size, build/modernbert-base-size and build/qwen3-0.6b-size are "
                        "made if need be")
    parser.add_argument("--binary", type=pathlib.Path,
                        default=ROOT / "build/release/embedding-service")
    parser.add_argument("--precision", action="append", choices=PRECISIONS,
                        help="repeatable (default: all)")
    parser.add_argument("--engines", type=names(engines),
                        default=[engine for engine in engines if engine != "llama-f32"],
                        help=f"of {','.join(engines)}")
    parser.add_argument("--cases", type=names(cases), default=[case for case in cases if case != "1000"],
                        help=f"of {','.join(cases)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--load-seconds", type=float, default=10,
                        help="in which clients begin requests (default 10)")
    parser.add_argument("--long-rounds", type=int, default=1, help="of 8,000 tokens (default 1)")
    parser.add_argument("--long-limit", type=float, default=120,
                        help="seconds that 8,000 tokens may take (default 120)")
    parser.add_argument("--texts", type=int, default=4096,
                        help="different ones for the clients (default 4096)")
    parser.add_argument("--no-accuracy", action="store_true")
    parser.add_argument("--json", type=pathlib.Path, help="write the raw figures to this file")
    options = parser.parse_args()
    options.precision = [p for p in PRECISIONS if p in (options.precision or PRECISIONS)]
    options.threads = len(os.sched_getaffinity(0))
    options.binary = options.binary.resolve()
    return options


def references(model, options, check):
    """This server's f32 vectors of the texts `check`: what every engine must come close to."""
    server = measure.start(ours(model, options.binary, "f32"), Settings(options.threads, 512))
    try:
        return server.embed(check)
    finally:
        server.stop()


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in info if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"processor": fields.get("model name", os.uname().machine), "memory_gib": memory,
            "features": [f for f in wanted if f in fields.get("flags", "").split()]}


def main():
    options = arguments()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    if not options.model.exists():
        script = "make_bge_m3_size.py" if options.model.name == "bge-m3-size" else "make_sized_model.py"
        subprocess.run([sys.executable, ROOT / "bench" / script, options.model], check=True)
    model = read_model(options.model)
    options.bench = peak.bench_binary()
    maker = TextMaker(model)
    check = maker.check()
    chosen = [e for e in all_engines(model, options.binary)
              if e.precision in options.precision and e.name in options.engines]
    for engine in chosen:
        engine.prepare()
    reference = references(model, options, check)
    result = {"model": model.directory.name, "threads": options.threads, "rounds": options.rounds,
              "machine": machine(), "engines": [], "lengths": {}, "operations": {}, "peaks": []}

    def save():
        if options.json:
            options.json.write_text(json.dumps(result, indent=1))

    for precision in options.precision:
        group = [engine for engine in chosen if engine.precision == precision]
        records, lengths = measure.together(
            group, maker, options.cases, options, check, reference, result["peaks"])
        result["engines"] += records
        result["lengths"] |= lengths
        save()
        if measure.LONG in options.cases and maker.case(measure.LONG):
            result["lengths"][measure.LONG] = measure.alone(
                group, records, maker, options, result["peaks"])
            save()
    result["operations"] = {case: model.operations(n) for case, n in result["lengths"].items()}
    if not options.no_accuracy:
        lower = [precision for precision in options.precision if precision != "f32"]
        result["accuracy"] = accuracy.measure(options.binary, lower, options.threads)
    save()
    print(report.markdown(result))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are stopped
    WORK.mkdir(parents=True, exist_ok=True)
    main()
