"""Writes expected/decoded.json: ids to texts, by the `tokenizers` library (0.23.2).

    python tests/data/make_decoded.py models/all-MiniLM-L6-v2/tokenizer.json
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).resolve().parent
FILES = {"all-MiniLM-L6-v2": sys.argv[1], "tiny-bge-m3": HERE / "tiny-bge-m3/tokenizer.json"}

lines = (HERE / "expected/tokens.bge-m3.jsonl").read_text().splitlines()
rows = []
for name, file in FILES.items():
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    for i, line in enumerate(lines[::25]):
        ids, skip = tokenizer.encode(json.loads(line)["text"]).ids, i % 2 == 0
        rows.append({"model": name, "ids": ids, "skip": skip, "text": tokenizer.decode(ids, skip)})
(HERE / "expected/decoded.json").write_text(json.dumps(rows) + "\n")
