"""A model with bge-m3's whole tokenizer and next to no weights."""

import gzip
import json
import shutil

import numpy as np
from safetensors.numpy import save_file

from server import DATA

HIDDEN = 8
INTERMEDIATE = 16


def write_bge_m3_stub(directory):
    source = DATA / "bge-m3-files"
    shutil.copytree(source, directory, ignore=shutil.ignore_patterns("*.gz"))
    with gzip.open(source / "tokenizer.json.gz") as packed:
        (directory / "tokenizer.json").write_bytes(packed.read())

    config = json.loads((source / "config.json").read_text())
    config.update(
        hidden_size=HIDDEN,
        intermediate_size=INTERMEDIATE,
        num_hidden_layers=1,
        num_attention_heads=2,
    )
    (directory / "config.json").write_text(json.dumps(config))
    pooling = json.loads((source / "1_Pooling" / "config.json").read_text())
    pooling["word_embedding_dimension"] = HIDDEN
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(pooling))

    random = np.random.default_rng(0)
    tensors = {}

    def add(name, *shape):
        tensors[name] = random.normal(0, 0.1, shape).astype(np.float32)

    def add_linear(name, outputs, inputs):
        add(f"{name}.weight", outputs, inputs)
        add(f"{name}.bias", outputs)

    def add_norm(name):
        add(f"{name}.weight", HIDDEN)
        add(f"{name}.bias", HIDDEN)

    add("embeddings.word_embeddings.weight", config["vocab_size"], HIDDEN)
    add("embeddings.position_embeddings.weight", config["max_position_embeddings"], HIDDEN)
    add("embeddings.token_type_embeddings.weight", config["type_vocab_size"], HIDDEN)
    add_norm("embeddings.LayerNorm")
    layer = "encoder.layer.0"
    for part in ("query", "key", "value"):
        add_linear(f"{layer}.attention.self.{part}", HIDDEN, HIDDEN)
    add_linear(f"{layer}.attention.output.dense", HIDDEN, HIDDEN)
    add_norm(f"{layer}.attention.output.LayerNorm")
    add_linear(f"{layer}.intermediate.dense", INTERMEDIATE, HIDDEN)
    add_linear(f"{layer}.output.dense", HIDDEN, INTERMEDIATE)
    add_norm(f"{layer}.output.LayerNorm")
    save_file(tensors, directory / "model.safetensors")
