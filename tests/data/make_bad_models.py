#!/usr/bin/env python3
"""Writes model directories that are each broken in one way, for tests of the server's start.

    make_bad_models.py GOOD_MODEL OUT

GOOD_MODEL is a small sentence-transformers or transformers directory, such as tiny-bge-m3. Below OUT
come a directory for each case and manifest.json, {case: regular expression that the error message
must match}. Two of the pickles would, if somebody ran them, create the file OUT/EXECUTED.

Needs numpy only. Files that a case leaves alone are links to one good copy, OUT/good.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import bad_configs
import bad_weights
from weight_files import read_weights, safetensors


def write_json(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


class Corpus:
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]

    def __init__(self, good, out):
        self.out = out
        self.manifest = {}
        self.tensors = read_weights(good)
        self.word_embeddings = next(
            name for name in self.tensors if name.endswith("embeddings.word_embeddings.weight")
        )
        self.base = out / "good"
        self.base.mkdir(parents=True)
        for name in ["config.json", "tokenizer.json", "tokenizer_config.json"]:
            shutil.copy(good / name, self.base / name)
        self.config = json.loads((good / "config.json").read_text(encoding="utf-8"))
        hidden_size = self.config["hidden_size"]
        write_json(self.base / "modules.json", self.modules)
        (self.base / "1_Pooling").mkdir()
        write_json(
            self.base / "1_Pooling" / "config.json",
            {"word_embedding_dimension": hidden_size, "pooling_mode_cls_token": True},
        )
        (self.base / "model.safetensors").write_bytes(safetensors(self.tensors))

    def add(self, case, error, files):
        """A case that differs from the good model by `files`: {name: content or None for absent}.

        Content is bytes, or something to be written as JSON.
        """
        directory = self.out / case
        directory.mkdir()
        for path in sorted(self.base.rglob("*")):
            name = str(path.relative_to(self.base))
            if path.is_dir():
                (directory / name).mkdir()
            elif name not in files:
                os.symlink(os.path.relpath(path, (directory / name).parent), directory / name)
        for name, content in files.items():
            if content is None:
                continue
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                write_json(path, content)
        self.manifest[case] = error

    def add_config(self, case, error, **fields):
        self.add(case, error, {"config.json": {**self.config, **fields}})

    def add_safetensors(self, case, error, change_header):
        self.add(
            case, error, {"model.safetensors": safetensors(self.tensors, change_header)}
        )

    def add_torch(self, case, error, content):
        self.add(case, error, {"model.safetensors": None, "pytorch_model.bin": content})


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    good, out = Path(sys.argv[1]), Path(sys.argv[2]).absolute()
    corpus = Corpus(good, out)
    bad_configs.add_cases(corpus)
    bad_weights.add_cases(corpus)
    write_json(out / "manifest.json", corpus.manifest)
    print(f"{len(corpus.manifest)} bad models in {out}")


if __name__ == "__main__":
    main()
