#!/usr/bin/env python3
"""Writes expected/tokenizer_digests.jsonl: what the `tokenizers` library makes of 5,000 texts.

    pip install tokenizers==0.23.2
    scripts/fetch_tokenizers.sh
    python3 tests/data/make_tokenizer_digests.py

The texts are those of expected/tokens.bge-m3.jsonl and expected/tokenizer_texts.jsonl, the tokenizers those of
models/, of small-tokenizers/ and of bge-m3. A line is a tokenizer; "digests" has 16 hexadecimal digits a text: of
the SHA-256 of its ids (little-endian, 32 bits each) 6, of that of its offsets 5, and of that of the text that the
ids decode to without special tokens 5. (Whole encodings would be 20 MB.)
"""
import gzip
import hashlib
import json
import pathlib
import struct

from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).parent
MODELS = HERE.parent.parent / "models"
NAMES = ["qwen3", "gemma3", "llama3", "llama2", "deepseek_v3", "gpt4o", "claude"]


def digest(values):
    return hashlib.sha256(values if isinstance(values, bytes) else struct.pack(f"<{len(values)}I", *values)).hexdigest()


def digest_of(tokenizer, text):
    encoding = tokenizer.encode(text)
    offsets = [x for span in encoding.offsets for x in span]
    decoded = tokenizer.decode(encoding.ids, skip_special_tokens=True)
    return digest(encoding.ids)[:6] + digest(offsets)[:5] + digest(decoded.encode())[:5]


def main():
    lines = (HERE / "expected/tokens.bge-m3.jsonl").read_text().splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    texts += map(json.loads, (HERE / "expected/tokenizer_texts.jsonl").read_text().splitlines())
    documents = {name: (MODELS / f"tokenizers/{name}/tokenizer.json").read_text() for name in NAMES}
    documents["all-MiniLM-L6-v2"] = (MODELS / "all-MiniLM-L6-v2/tokenizer.json").read_text()
    documents["bge-m3"] = gzip.open(HERE / "bge-m3-files/tokenizer.json.gz").read().decode()
    for path in sorted((HERE / "small-tokenizers").glob("*.json")):
        documents[f"small/{path.stem}"] = path.read_text()
    with open(HERE / "expected/tokenizer_digests.jsonl", "w") as out:
        for name, document in documents.items():
            tokenizer = Tokenizer.from_str(document)
            tokenizer.no_truncation()
            tokenizer.no_padding()
            digests = "".join(digest_of(tokenizer, text) for text in texts)
            print(json.dumps({"tokenizer": name, "digests": digests}), file=out)


if __name__ == "__main__":
    main()
