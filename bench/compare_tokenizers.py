#!/usr/bin/env python3
"""Times tokenising by this project and by the `tokenizers` library in turn, each on one thread.

    pip install tokenizers==0.23.2
    bench/compare_tokenizers.py build/release/embedding-bench models/tokenizers/qwen3 [DIR...]

Of texts (1,785 in 80 languages), of the same with offsets, and of all of them as one document, in MB/s of processor
time: the best of some rounds, for other programs disturb. The library has its fastest function for each, and its cache.
"""
import argparse
import json
import os
import pathlib
import subprocess
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer  # noqa: E402: it reads the environment

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = {"Tokenize/offsets:0": "texts", "Tokenize/offsets:1": "offsets", "TokenizeDocument": "document"}


def ours(program, folder):
    command = [program, "--benchmark_filter=^Tokenize", "--benchmark_format=json", "--benchmark_min_time=0.2"]
    out = subprocess.run(command, env={**os.environ, "BENCH_MODEL": folder}, capture_output=True, text=True, check=True)
    return {NAMES[row["name"]]: row["bytes_per_second"] / 1e6 for row in json.loads(out.stdout)["benchmarks"]}


def theirs(folder, rounds):
    lines = (ROOT / "tests/data/expected/tokens.bge-m3.jsonl").read_text().splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    document = ["\n".join(texts)]
    size = sum(len(text.encode()) for text in texts)
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    calls = {"texts": lambda: tokenizer.encode_batch_fast(texts), "offsets": lambda: tokenizer.encode_batch(texts),
             "document": lambda: tokenizer.encode_batch_fast(document)}
    best = dict.fromkeys(calls, 0.0)
    for _ in range(rounds):
        for name, call in calls.items():
            begin = time.process_time()
            call()
            best[name] = max(best[name], size / (time.process_time() - begin) / 1e6)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print("| MB/s | texts | | with offsets | | one document | |\n|---|---|---|---|---|---|---|")
    for folder in options.folders:
        best = {"ours": {}, "theirs": {}}
        for _ in range(options.rounds):
            for who, rates in (("ours", ours(options.program, folder)), ("theirs", theirs(folder, 3))):
                for name, rate in rates.items():
                    best[who][name] = max(best[who].get(name, 0.0), rate)
        cells = []
        for name in NAMES.values():
            a, b = best["ours"][name], best["theirs"][name]
            cells += [f"{a:.1f} / {b:.2f}", f"{a / b:.1f} x"]
        print(f"| {pathlib.Path(folder).name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
