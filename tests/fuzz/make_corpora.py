#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets, corpus/<target>/seed-*: one valid input of each kind, small.

    tests/fuzz/make_corpora.py

The other files of a corpus are what fuzzing found and was worth keeping: inputs that reach code
which no seed reaches (named by their SHA-1, as libFuzzer does it), and those that once failed
(regression-*). The seeds depend on nothing but the files *_seeds.py and tests/data: running it again
changes nothing.
"""

import pathlib

from model_seeds import hub_answer, message_template, model_config
from request_seeds import http_framing, json_body
from tokenizer_seeds import regex, text, tokenizer_json
from vocabulary_seeds import sentencepiece, tokenizer_files
from weight_seeds import pickles, safetensors, torch_archive

HERE = pathlib.Path(__file__).resolve().parent


def write(target, seeds):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("seed-*"):
        old.unlink()
    for name, content in seeds.items():
        if isinstance(content, str):
            content = content.encode()
        (folder / f"seed-{name}").write_bytes(content)


def main():
    for name, seeds in (("json_body", json_body), ("tokenizer_json", tokenizer_json), ("text", text),
                        ("regex", regex), ("safetensors", safetensors), ("torch_archive", torch_archive),
                        ("pickle", pickles), ("model_config", model_config),
                        ("message_template", message_template),
                        ("hub_answer", hub_answer), ("http_framing", http_framing),
                        ("sentencepiece", sentencepiece), ("tokenizer_files", tokenizer_files)):
        write(name, seeds())


if __name__ == "__main__":
    main()
