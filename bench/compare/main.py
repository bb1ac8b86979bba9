"""Times this server over HTTP against sentence-transformers in this process, in turn in one run.

    python bench/compare.py MODEL_DIRECTORY [--rounds 3] [--dtype f32]

Prints a Markdown table of medians in milliseconds, the server's memory and its time to ready.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import time

import requests
import torch
from sentence_transformers import SentenceTransformer

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/embedding-service"


def texts_of_about(tokens, count, tokenizer):
    """`count` different texts, each cut to `tokens` tokens' length, special tokens included."""
    lines = (ROOT / "tests/data/expected/tokens.bge-m3.jsonl").read_text().splitlines()
    pieces = [json.loads(line)["text"].strip() for line in lines]
    texts = []
    for i in range(count):
        text, k = pieces[i * 7 % len(pieces)], i * 7 + 1
        while len(tokenizer(text)["input_ids"]) < tokens:
            text, k = text + " " + pieces[k % len(pieces)], k + 1
        ids = tokenizer(text, truncation=True, max_length=tokens)["input_ids"]
        texts.append(tokenizer.decode(ids, skip_special_tokens=True))
    return texts


class Server:
    def __init__(self, model, dtype):
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [BINARY, "serve", "--model", model, "--port", "0", "--dtype", dtype,
             "--max-client-batch-size", "1000"],
            stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r"running on (http://\S+)", line):
                self.url = found.group(1)
                break
        self.ready_s = time.perf_counter() - started
        self.anonymous_mb = self.memory("RssAnon")
        self.session = requests.Session()

    def memory(self, field):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+)", status).group(1)) / 1000

    def embed(self, texts):
        answer = self.session.post(f"{self.url}/embed", json={"texts": texts})
        answer.raise_for_status()
        return answer.json()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def timed(function):
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    arguments = parser.parse_args()

    torch_dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[arguments.dtype]
    original = SentenceTransformer(
        arguments.model, device="cpu", model_kwargs={"torch_dtype": torch_dtype})
    server = Server(arguments.model, arguments.dtype)
    longest = original.max_seq_length
    cases = {
        "1 text of 20 tokens": texts_of_about(20, 1, original.tokenizer),
        "10 texts": texts_of_about(20, 10, original.tokenizer),
        "100 texts": texts_of_about(20, 100, original.tokenizer),
        f"1 text of {min(727, longest)} tokens": texts_of_about(
            min(727, longest), 1, original.tokenizer),
    }
    print("| | sentence-transformers, ms | this server, ms | ratio |\n|---|---|---|---|")
    for name, texts in cases.items():
        ours = lambda: server.embed(texts)
        theirs = lambda: original.encode(texts, batch_size=len(texts), show_progress_bar=False)
        ours(), theirs()
        times = {"ours": [], "theirs": []}
        repeats = arguments.rounds if len(texts) > 1 else arguments.rounds * 3
        for _ in range(repeats):
            times["theirs"].append(timed(theirs))
            times["ours"].append(timed(ours))
        a, b = statistics.median(times["theirs"]), statistics.median(times["ours"])
        print(f"| {name} | {a:.1f} | {b:.1f} | {b / a:.2f} |", flush=True)
    print(f"\n{arguments.dtype}, {torch.get_num_threads()} threads; ready after {server.ready_s:.1f} s; "
          f"anonymous memory after load {server.anonymous_mb:.0f} MB, "
          f"at most {server.memory('VmHWM'):.0f} MB resident with the mapped file")
    server.stop()


if __name__ == "__main__":
    main()
