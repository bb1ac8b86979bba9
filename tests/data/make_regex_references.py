#!/usr/bin/env python3
"""Writes expected/regex.json: where the library's regular expressions (Oniguruma) match.

    pip install tokenizers==0.23.2
    python3 tests/data/make_regex_references.py

"real" has the patterns of tokenizers that people use, and "random" such as are made of the same parts,
of which src/text/regex.h refuses many. A case is a text and the beginnings and ends of the matches in it, in
characters.
"""
import json
import pathlib
import random

import tokenizers
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

HERE = pathlib.Path(__file__).parent
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UPPER, LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
REAL = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2": CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "tiktoken cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]*[{LOWER}]+{CONTRACTIONS}?|[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]+[{LOWER}]*{CONTRACTIONS}?|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "tekken": rf"[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]*[{LOWER}]+|[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]+[{LOWER}]*|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "kimi": rf"[\p{{Han}}]+|[^\r\n\p{{L}}\p{{N}}]?[{UPPER}&&[^\p{{Han}}]]*[{LOWER}&&[^\p{{Han}}]]+{CONTRACTIONS}?|[^\r\n\p{{L}}\p{{N}}]?[{UPPER}&&[^\p{{Han}}]]+[{LOWER}&&[^\p{{Han}}]]*{CONTRACTIONS}?|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "deepseek numbers": r"\p{N}{1,3}",
    "deepseek ideographs": "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    "deepseek": "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
    "deepseek coder letters": r"\s?\p{L}+", "deepseek coder punctuation": r"\s?\p{P}+",
    "deepseek coder newlines": "[\r\n]", "deepseek coder ideographs": "[一-龥ࠀ-一가-퟿]+",
    "bloom": " ?[^(\\s|[.,!?…。，、।۔،])]+",
    "falcon": "[0-9][0-9][0-9]",
    "clip": r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    "white space": r"\s+", "spaces": " {2,}", "words": r"\w+|[^\w\s]+", "digit": r"\d",
}
SETS = [r"\p{L}", r"\p{N}", r"\p{Lu}", r"\s", r"\S", r"\d", r"\w", r"\W", "[a-c]", "[^a-c]", r"[\r\n]",
        r"[^\s\p{L}\p{N}]", r"[\p{L}\p{M}]", ".", r"\P{L}", "[a-z&&[^b]]", r"[\s\d]", r"\p{Han}", r"[!?\-]",
        "[\u4e00-\u9fff]", r"\x41", r"\p{^L}"]
LITERALS = ["a", "b", "c", "A", "'", " ", "1", "é", "中", r"\n", r"\.", "-", "s"]
QUANTIFIERS = [""] * 9 + ["?", "*", "+", "+", "{2}", "{1,3}", "{2,}", "{,2}", "??", "*?", "+?", "?+", "++"]
AHEAD = [r"(?!\S)", r"(?=\s)", "(?!a)", "(?=[a-c])", "$", r"(?=\s|$)", r"\z", r"(?!\p{L})", r"(?=b|\d)"]
ALPHABET = "aabbcAs'  \t\n\r11.é中-/\u212a\u017f!?]B\u00b2"


def random_pattern(rng, depth=2):
    def atom():
        kind = rng.randrange(10)
        if kind < 4:
            return rng.choice(LITERALS)
        if kind > 6 and depth > 0:
            return "(" + rng.choice(["?:", "", "?i:"]) + random_pattern(rng, depth - 1) + ")"
        return rng.choice(SETS)

    def sequence():
        parts = "".join(atom() + rng.choice(QUANTIFIERS) for _ in range(rng.randrange(1, 4)))
        return parts + (rng.choice(AHEAD) if rng.random() < 0.15 else "")

    return "|".join(sequence() for _ in range(rng.choice([1, 1, 2, 3])))


def references(pattern, texts):
    """Nothing for what the library refuses."""
    try:
        split = Split(Regex(pattern), "removed", invert=True)
    except Exception:
        return None
    return [[text, [x for _, span in split.pre_tokenize_str(text) for x in span]] for text in texts]


def main():
    rng = random.Random(20260202)
    lines = (HERE / "expected/tokenizer_texts.jsonl").read_text().splitlines()
    texts = [text for text in map(json.loads, lines) if len(text) < 200]

    def short():
        return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(1, 14)))

    real = {name: {"pattern": pattern, "cases": references(pattern, rng.sample(texts, 40) + [short() for _ in range(40)])}
            for name, pattern in REAL.items()}
    found = {}
    while len(found) < 400:
        pattern = random_pattern(rng)
        if (cases := references(pattern, [short() for _ in range(8)])) is not None:
            found[pattern] = cases
    out = {"made_by": f"tokenizers {tokenizers.__version__}", "real": real,
           "random": [{"pattern": pattern, "cases": cases} for pattern, cases in found.items()]}
    (HERE / "expected/regex.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
