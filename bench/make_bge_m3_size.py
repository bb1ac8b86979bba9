"""Writes a model directory of BAAI/bge-m3's exact size with random weights and the real tokenizer.

The real weights are 2.3 GB that not every machine can fetch; speed and memory do not depend on
their values. Seeded: the same directory every time.

    python bench/make_bge_m3_size.py build/bge-m3-size
"""

import argparse
import gzip
import json
import pathlib
import shutil

import numpy as np
from safetensors.numpy import save_file

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "tests/data/bge-m3-files"


def tensors(config, rng):
    """Yields every parameter of an XLMRobertaModel with the scale of its initialisation."""
    hidden, wide = config["hidden_size"], config["intermediate_size"]

    def normal(*shape):
        return rng.standard_normal(shape, dtype=np.float32) * np.float32(0.02)

    def layer_norm(name):
        yield f"{name}.weight", np.ones(hidden, np.float32)
        yield f"{name}.bias", normal(hidden)

    def linear(name, rows, columns):
        yield f"{name}.weight", normal(rows, columns)
        yield f"{name}.bias", normal(rows)

    yield "embeddings.word_embeddings.weight", normal(config["vocab_size"], hidden)
    yield "embeddings.position_embeddings.weight", normal(config["max_position_embeddings"], hidden)
    yield "embeddings.token_type_embeddings.weight", normal(config["type_vocab_size"], hidden)
    yield from layer_norm("embeddings.LayerNorm")
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        for name in ("query", "key", "value"):
            yield from linear(f"{layer}.attention.self.{name}", hidden, hidden)
        yield from linear(f"{layer}.attention.output.dense", hidden, hidden)
        yield from layer_norm(f"{layer}.attention.output.LayerNorm")
        yield from linear(f"{layer}.intermediate.dense", wide, hidden)
        yield from linear(f"{layer}.output.dense", hidden, wide)
        yield from layer_norm(f"{layer}.output.LayerNorm")
    yield from linear("pooler.dense", hidden, hidden)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    out = arguments.directory
    shutil.copytree(SOURCE, out, dirs_exist_ok=True)
    packed = out / "tokenizer.json.gz"
    (out / "tokenizer.json").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    config = json.loads((out / "config.json").read_text())
    rng = np.random.default_rng(arguments.seed)
    save_file(dict(tensors(config, rng)), out / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
