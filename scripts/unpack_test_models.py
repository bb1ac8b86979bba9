"""Unpacks the test data that is kept compressed: bge-m3's tokenizer, into models/bge-m3-tokenizer/."""

import gzip
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tests/data/bge-m3-files/tokenizer.json.gz"
TARGET = ROOT / "models/bge-m3-tokenizer/tokenizer.json"

if not TARGET.exists():
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(gzip.decompress(SOURCE.read_bytes()))
