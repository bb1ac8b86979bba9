#!/usr/bin/env python3
"""Asks two binaries of the server the same and compares the answers in every bit.

    scripts/compare_vectors.py OLD NEW [--tests DIR] [--model DIR]... [--dtype D]...

For a change that must not change what the server computes. Without --model: the models of tests/data
and models/, and in f32 those that tests/data/make_model_variants.py makes of them. Vectors are
compared as raw bytes where a route has them, else the whole JSON body is: a float's JSON text stands
for one value only. Prints what was compared, and where the first difference of each row is; exits 1
if there is one. Needs the standard library only.
"""

import argparse
import array
import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
DTYPES = ("f32", "bf16", "f16", "int8")
ARM = platform.machine() in ("aarch64", "arm64")
INSTRUCTION_SETS = ("auto", "neon", "dotprod") if ARM else ("auto", "avx512", "avxvnni", "avx2")
NO_SUCH_DEVICE = 5  # exit code of a dtype that the processor does not multiply
WRONG_USAGE = 2  # of an instruction set that a binary of another time does not know
# All is to be computed. A binary from before the cache ignores it.
NO_CACHE = {"EMBEDDING_SERVICE_CACHE": "0"}
PATIENCE_S = 600
BYTES = "application/octet-stream"
SPECIAL = ["", " ", "Hello, world!", "Привет, мир! Как дела?", "👨‍👩‍👧 🇩🇪 👍🏽", "東京タワー", "e\u0301 é ﬁ ½",
           "مرحبا שלום नमस्ते", "a\x00b\ttab\nline", "x" * 300]
QUERY = "Что такое гигантская панда?"

Ask = collections.namedtuple("Ask", "what path body accept", defaults=[None])


class Server:
    """A binary that serves a model; `refusal` is its exit code and message if it did not start."""

    def __init__(self, binary, model, arguments):
        own = ("EMBEDDING_", "HF_", "HUGGING", "SENTENCE_TRANSFORMERS_", "TRANSFORMERS_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        self.output = tempfile.TemporaryFile()
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [binary, "serve", "--host", "127.0.0.1", "--port", "0", "--model", model, *arguments],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.errors,
            env={**environment, **NO_CACHE, "HF_HUB_OFFLINE": "1"})
        self.refusal = None
        deadline = time.monotonic() + PATIENCE_S
        while not (running := re.search(rb"running on http://.*:(\d+)", content(self.output))):
            if (code := self.process.poll()) is not None:
                self.refusal = (code, content(self.errors).decode(errors="replace").strip())
                return
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{binary} was not ready after {PATIENCE_S} s")
            time.sleep(0.01)
        self.port = int(running.group(1))

    def answer(self, ask):
        """Status, headers that describe the body, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        headers = {"Content-Type": "application/json"}
        if ask.accept:
            headers["Accept"] = ask.accept
        connection.request("POST", ask.path, json.dumps(ask.body).encode(), headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        described = [response.getheader(name) for name in ("content-type", "x-shape", "x-truncated")]
        # The one thing that is drawn anew for each answer.
        return response.status, described, re.sub(rb'^\{"id":"[^"]*",', b"{", body)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        self.output.close()
        self.errors.close()


def content(file):
    # pread leaves the offset alone, which the server shares.
    return os.pread(file.fileno(), 1 << 20, 0)


def text_sets(data):
    """Sets of texts: one, few, many, and such as are as long as a model takes, and longer."""
    lines = (data / "expected/tokens.bge-m3.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    words = " ".join(texts)
    return {"one": texts[7:8], "ten": SPECIAL, "hundred": texts[::17][:100],
            "long": [words[:400], words[1000:3000], words[5000:9000], QUERY]}, words[:60000]


def asks(data):
    """Everything that is asked of every model: what a model has no head for, both must refuse."""
    sets, longest = text_sets(data)
    for texts in sets.values():
        for normalize in (True, False):
            yield Ask(f"dense, normalize {normalize}".lower(), "/embed",
                      {"texts": texts, "normalize": normalize}, BYTES)
        yield Ask("dense, 16 dimensions", "/embed", {"texts": texts, "dimensions": 16}, BYTES)
        yield Ask("dense, int8", "/embed", {"texts": texts, "output_dtype": "int8"})
        yield Ask("dense, base64", "/v1/embeddings",
                  {"input": [text or " " for text in texts], "encoding_format": "base64"})
        sparse, colbert = {"return_sparse": True}, {"return_colbert_vecs": True}
        alone = {"texts": texts, "return_dense": False}
        yield Ask("lexical weights", "/embed", {**alone, **sparse})
        yield Ask("ColBERT vectors", "/embed", {**alone, **colbert})
        yield Ask("all heads together", "/embed", {"texts": texts, **sparse, **colbert})
        yield Ask("token vectors", "/embed_all", {"inputs": texts, "truncate": True})
        yield Ask("sparse vectors", "/embed_sparse", {"inputs": texts, "truncate": True})
        yield Ask("token ids", "/tokenize", {"inputs": texts})
        pairs = [[QUERY, text] for text in texts]
        for raw in (True, False):
            options = {"raw_scores": raw, "truncate": True}
            what = f"raw scores {raw}".lower()
            yield Ask(f"rerank, {what}", "/rerank", {"query": QUERY, "texts": texts, **options})
            yield Ask(f"predict, {what}", "/predict", {"inputs": pairs, **options})
            yield Ask(f"predict, {what}", "/predict", {"inputs": [[t] for t in texts], **options})
        for mode in ("dense", "sparse", "colbert", "hybrid"):
            yield Ask(f"rerank by {mode}", "/v1/rerank",
                      {"query": QUERY, "documents": texts, "mode": mode})
        yield Ask("similarity", "/similarity",
                  {"inputs": {"source_sentence": QUERY, "sentences": texts}})
    yield Ask("dense of token ids", "/embed", {"inputs": [[0, 5, 9, 2], [0, 2], [7] * 90]})
    whole = {"inputs": longest, "truncate": True}
    yield Ask("as long as it takes", "/embed", {"texts": [longest], "normalize": False}, BYTES)
    yield Ask("as long as it takes", "/embed_sparse", whole)
    yield Ask("as long as it takes", "/predict", {**whole, "raw_scores": True})
    yield Ask("as long as it takes", "/rerank",
              {"query": QUERY, "texts": [longest], "truncate": True, "raw_scores": True})


def asks_at_once(data):
    """One text each, for heads of all kinds: those that come together are computed together."""
    for i, text in enumerate(text_sets(data)[0]["hundred"][:48]):
        body = {"texts": [text], "return_dense": i % 3 != 1, "normalize": i % 2 == 0}
        if i % 3 == 1:
            yield Ask("requests at once", "/embed_all", {"inputs": [text]})
        else:
            yield Ask("requests at once", "/embed", body, BYTES)
        yield Ask("requests at once", "/embed_sparse", {"inputs": [text]})
        yield Ask("requests at once", "/predict", {"inputs": [[QUERY, text]], "truncate": True})


def leaves(value, path=""):
    """(where, value) of everything in a JSON document that is neither array nor object."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, f"{path}[{i}]")
    else:
        yield path, value


def values(answer):
    """[(where, value)] of an answer. Numbers of JSON as their text, of raw bytes as hexadecimals."""
    status, described, body = answer
    if described[0] == BYTES:
        return [(f"[{i}]", float.hex(value)) for i, value in enumerate(array.array("f", body))]
    return list(leaves(json.loads(body, parse_float=str, parse_int=str)))


def count_leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return 1
    if not any(isinstance(item, (dict, list)) for item in value):
        return len(value)
    return sum(map(count_leaves, value))


def count(answer):
    """How many values of an answer are compared; none of a refusal."""
    status, described, body = answer
    if status != 200:
        return 0
    return len(body) // 4 if described[0] == BYTES else count_leaves(json.loads(body))


def difference(old, new):
    """Says where two answers differ, or nothing if they are equal."""
    if old == new:
        return ""
    for name, a, b in (("status", old[0], new[0]), ("headers", old[1], new[1])):
        if a != b:
            return f"{name}: {a} became {b}; bodies {old[2][:150]!r}, {new[2][:150]!r}"
    a, b = values(old), values(new)
    different = [(x, y) for x, y in zip(a, b) if x != y]
    how_many = f"{len(a)} values became {len(b)}; " if len(a) != len(b) else ""
    if not different:
        return f"{how_many}the first are equal, the text is not: {old[2][:150]!r}, {new[2][:150]!r}"
    (where, x), (there, y) = different[0]
    at = where if where == there else f"{where} and {there}"
    return (f"{how_many}{len(different)} of {len(a)} differ, first at {at}: "
            f"{str(x)[:40]} became {str(y)[:40]}")


class Report:
    """Adds up rows: model, dtype, what was asked, values compared, whether they are equal."""

    WIDTHS = (34, 10, 26, 12)

    def __init__(self):
        self.equal = True
        self.compared = 0
        self.line("model", "dtype", "what", "values", "equal")

    def line(self, *cells):
        padded = [f"{cell:<{width}}" for cell, width in zip(cells, self.WIDTHS)]
        print(" ".join([*padded, str(cells[-1])]), flush=True)

    def add(self, model, dtype, results):
        """`results`: (ask, old answer, new answer) of one model."""
        rows = {}
        for ask, old, new in results:
            row = rows.setdefault(ask.what, {"values": 0, "status": old[0], "differs": ""})
            row["values"] += count(old)
            if not row["differs"] and (found := difference(old, new)):
                row["differs"] = f"{ask.path} {json.dumps(ask.body, ensure_ascii=False)[:100]}...: {found}"
        if not any(row["values"] for row in rows.values()):
            raise SystemExit(f"{model} answered nothing that could be compared")
        for what, row in rows.items():
            self.compared += row["values"]
            self.equal = self.equal and not row["differs"]
            refused = f" (both refuse: {row['status']})" if not row["values"] else ""
            self.line(model, dtype, what, row["values"], "NO" if row["differs"] else f"yes{refused}")
            if row["differs"]:
                print(f"    {row['differs']}", flush=True)


def compare(report, binaries, name, model, dtype, instruction_set, questions, at_once):
    label = dtype if instruction_set == "auto" else f"{dtype} {instruction_set}"
    arguments = ["--dtype", dtype, "--instruction-set", instruction_set]
    servers = []
    try:
        for binary in binaries:
            servers.append(Server(binary, model, arguments))
        old, new = (server.refusal for server in servers)
        if old or new:
            unknown = WRONG_USAGE in [refusal[0] for refusal in (old, new) if refusal]
            if not unknown and (old != new or old[0] != NO_SUCH_DEVICE):
                raise SystemExit(f"{name} {label}: OLD: {old or 'starts'}, NEW: {new or 'starts'}")
            return report.line(name, label, "left out", 0, (old or new)[1])
        results = [(ask, *(server.answer(ask) for server in servers)) for ask in questions]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            old, new = (list(pool.map(server.answer, at_once)) for server in servers)
        report.add(name, label, results + list(zip(at_once, old, new)))
    finally:
        for server in servers:
            server.stop()


def compare_variants(report, binaries, data):
    sys.path.insert(0, str(data))
    import make_model_variants as variants

    with tempfile.TemporaryDirectory() as temporary:
        for variant in variants.VARIANTS:
            name, texts = variant["name"], variant["texts"]
            directory = pathlib.Path(temporary) / name
            variants.make(variant, directory)
            questions = [
                Ask(name, "/embed", {"texts": texts}, BYTES),
                Ask(name, "/embed_sparse", {"inputs": texts}),
                Ask(name, "/predict", {"inputs": texts, "raw_scores": True}),
                Ask(name, "/tokenize", {"inputs": [t for t in texts if isinstance(t, str)] or "x"})]
            compare(report, binaries, variant["base"], directory, "f32", "auto", questions, [])


def models(data):
    folders = [*data.glob("*/"), *(ROOT / "models").glob("*/")]
    return sorted(d for d in folders if (d / "config.json").exists() and (d / "tokenizer.json").exists())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path, metavar="OLD")
    parser.add_argument("new", type=pathlib.Path, metavar="NEW")
    parser.add_argument("--tests", type=pathlib.Path, default=ROOT / "tests/data", metavar="DIR",
                        help="folder of the fixtures (default tests/data)")
    parser.add_argument("--model", type=pathlib.Path, action="append", metavar="DIR",
                        help="only this model; may be given more than once")
    parser.add_argument("--dtype", action="append", choices=DTYPES)
    parser.add_argument("--instruction-set", action="append", choices=INSTRUCTION_SETS)
    options = parser.parse_args()
    binaries = [options.old.resolve(), options.new.resolve()]
    data = options.tests.resolve()

    report = Report()
    questions, at_once = list(asks(data)), list(asks_at_once(data))
    for model in options.model or models(data):
        for dtype in options.dtype or DTYPES:
            for instruction_set in options.instruction_set or INSTRUCTION_SETS:
                compare(report, binaries, model.name, model, dtype, instruction_set, questions,
                        at_once)
    if not options.model:
        compare_variants(report, binaries, data)
    print(f"{report.compared} values compared: {'all equal' if report.equal else 'NOT EQUAL'}")
    sys.exit(0 if report.equal else 1)


if __name__ == "__main__":
    main()
