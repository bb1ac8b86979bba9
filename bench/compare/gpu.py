"""This server on an NVIDIA GPU against sentence-transformers and a packed forward pass in PyTorch.

    python bench/compare/gpu.py --model build/bge-m3-size [--binary FILE] [--dtype f16] [--json FILE]

The alternatives run inside this process, without HTTP. "packed" is what text-embeddings-inference
does on such a GPU: tokens without padding, fused attention over ragged sequences, one product for
q, k and v, f16, for models of BERT's kind alone. It needs torch with CUDA, and sentence-transformers. Prints a Markdown report.
"""

import argparse
import http.client
import json
import pathlib
import re
import statistics
import subprocess
import threading
import time

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORDS = ("the river of time and a house in many cities where people read books about music water "
         "light trees small").split()
BATCH_TOKENS = 16384


def texts_of(count, words, seed):
    """Texts of so many words, no two equal."""
    rng = np.random.default_rng(seed)
    return [f"{seed}x{i} " + " ".join(rng.choice(WORDS, words - 2)) for i in range(count)]


class Ours:
    name = "this server, over HTTP"

    def __init__(self, options):
        self.process = subprocess.Popen(
            [options.binary, "serve", "--model", options.model, "--device", "cuda", "--dtype",
             options.dtype, "--port", "0", "--cache", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            print("   ", line.rstrip())
            if found := re.search(r"http://[^: ]+:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise RuntimeError("the server did not start")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.connections = threading.local()
        while json.loads(self.ask("GET", "/health")).get("status") == "loading":
            time.sleep(0.2)

    def ask(self, method, path, body=None):
        if not hasattr(self.connections, "one"):
            self.connections.one = http.client.HTTPConnection("127.0.0.1", self.port)
        self.connections.one.request(method, path, body, {"content-type": "application/json"})
        answer = self.connections.one.getresponse()
        content = answer.read()
        if answer.status not in (200, 503):
            raise RuntimeError(content.decode())
        return content

    def embed(self, texts):
        return self.ask("POST", "/embed", json.dumps({"texts": texts}))

    def vectors(self, texts):
        return np.array(json.loads(self.embed(texts))["embeddings"])

    def throughput(self, requests):
        """Seconds for all of them, from four connections."""
        queue = list(requests)

        def work():
            while queue:
                try:
                    self.embed(queue.pop())
                except IndexError:
                    return

        threads = [threading.Thread(target=work) for _ in range(4)]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begun

    def close(self):
        self.process.terminate()
        self.process.wait(30)


class SentenceTransformers:
    name = "sentence-transformers, in process"

    def __init__(self, options, batch_size=32):
        from sentence_transformers import SentenceTransformer

        dtype = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}[options.dtype]
        self.model = SentenceTransformer(options.model, device="cuda", model_kwargs={"dtype": dtype})
        self.batch_size = batch_size

    def vectors(self, texts):
        return self.model.encode(texts, batch_size=self.batch_size, normalize_embeddings=True,
                                 show_progress_bar=False)

    embed = vectors

    def throughput(self, requests):
        begun = time.perf_counter()
        for texts in requests:
            self.model.encode(texts, batch_size=128, show_progress_bar=False)
        return time.perf_counter() - begun

class Packed:
    name = "packed in PyTorch, in process"

    def __init__(self, options, transformer):
        from torch.nn.attention.varlen import varlen_attn

        self.attend = varlen_attn
        module = transformer[0]
        self.tokenizer = module.tokenizer
        self.model = module.auto_model
        config = self.model.config
        self.heads = config.num_attention_heads
        self.limit = min(transformer.max_seq_length or 512, config.max_position_embeddings - 2)
        self.first = config.pad_token_id + 1 if config.model_type == "xlm-roberta" else 0
        self.layers = []
        for layer in self.model.encoder.layer:
            inner = layer.attention.self
            parts = (inner.query, inner.key, inner.value)
            self.layers.append((torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts]),
                                layer.attention.output, layer.intermediate.dense, layer.output))

    @torch.inference_mode()
    def forward(self, ids):
        lengths = [len(i) for i in ids]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        flat = torch.from_numpy(np.concatenate(ids)).cuda()
        positions = torch.from_numpy(np.concatenate([np.arange(n) + self.first for n in lengths])).cuda()
        begins = torch.from_numpy(offsets).cuda()
        e = self.model.embeddings
        x = e.LayerNorm(e.word_embeddings(flat) + e.token_type_embeddings.weight[0]
                        + e.position_embeddings(positions))
        f = torch.nn.functional
        for weight, bias, output, up, down in self.layers:
            q, k, v = f.linear(x, weight, bias).view(len(flat), 3, self.heads, -1).unbind(1)
            context = self.attend(q, k, v, begins, begins, max(lengths), max(lengths))
            x = output.LayerNorm(output.dense(context.reshape(len(flat), -1)) + x)
            x = down.LayerNorm(down.dense(f.gelu(up(x))) + x)
        return f.normalize(x[begins[:-1].long()].float())

    def vectors(self, texts):
        ids = [np.array(i) for i in self.tokenizer(texts, truncation=True, max_length=self.limit,
                                                   add_special_tokens=True)["input_ids"]]
        results, batch, tokens = [], [], 0
        for one in ids:
            if batch and tokens + len(one) > BATCH_TOKENS:
                results.append(self.forward(batch))
                batch, tokens = [], 0
            batch.append(one)
            tokens += len(one)
        results.append(self.forward(batch))
        return torch.cat(results).cpu().numpy()

    embed = vectors

    def throughput(self, requests):
        begun = time.perf_counter()
        for texts in requests:
            self.vectors(texts)
        return time.perf_counter() - begun

def latency(engine, texts, words, rounds):
    for i in range(3):
        engine.embed(texts_of(texts, words, i))
    times = []
    for i in range(rounds):
        batch = texts_of(texts, words, 10 + i)
        begun = time.perf_counter()
        engine.embed(batch)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def cosines(a, b):
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    return float((a * b).sum(1).min())


def measure(options, ours, transformers):
    """Engines, rows of the report, figures by name."""
    engines = [ours, transformers]
    if transformers.model[0].auto_model.config.model_type in ("bert", "xlm-roberta"):
        try:
            engines.append(Packed(options, transformers.model))
        except ImportError as e:
            print(f"(no packed forward pass: {e})")
    tokens_of = lambda texts: sum(len(i) for i in transformers.model.tokenizer(texts)["input_ids"])
    probe = texts_of(20, 60, 5) + texts_of(20, 14, 6)
    f32 = SentenceTransformers(argparse.Namespace(**{**vars(options), "dtype": "f32"}))
    exact = f32.vectors(probe)
    del f32
    rows = [["lowest cosine to f32"] + [f"{cosines(e.vectors(probe), exact):.6f}" for e in engines]]
    alone = np.concatenate([engines[0].vectors([text]) for text in probe])
    rows.append(["a text alone equals it among 40, in every bit",
                 "yes" if (alone == engines[0].vectors(probe)).all() else "no"]
                + [""] * (len(engines) - 1))
    figures = {}
    for texts in (1, 10, 100):
        times = [latency(e, texts, 16, options.rounds) for e in engines]
        figures[f"{texts} texts, ms"] = times
        rows.append([f"{texts} short text(s), ms"] + [f"{t:.2f}" for t in times])
    for words, count in ((18, 100), (110, 100), (440, 100)):
        requests = [texts_of(count, words, 1000 + i) for i in range(12)]
        tokens = sum(tokens_of(r) for r in requests)
        for e in engines:
            e.throughput(requests[:4])
        rates = [tokens / e.throughput(requests) for e in engines]
        figures[f"tokens/s at {tokens / count / 12:.0f} tokens"] = rates
        rows.append([f"tokens/s, texts of {tokens / count / 12:.0f} tokens"]
                    + [f"{r:,.0f}" for r in rates])
    return engines, rows, figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--binary", default=str(ROOT / "build/release/embedding-service"))
    parser.add_argument("--dtype", choices=["f16", "bf16"], default="f16")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()

    transformers = SentenceTransformers(options)
    ours = Ours(options)
    try:
        engines, rows, figures = measure(options, ours, transformers)
    finally:
        ours.close()
    print(f"\n{torch.cuda.get_device_name()}, torch {torch.__version__}, {options.dtype}\n")
    print("| | " + " | ".join(e.name for e in engines) + " |")
    print("|---" * (len(engines) + 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    if options.json:
        options.json.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
