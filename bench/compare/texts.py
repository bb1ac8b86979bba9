"""The texts that are embedded: in 80 languages, all different, cut to a number of tokens."""

import json

from tokenizers import Tokenizer

from model import ROOT

NATURAL = 1155  # of the fixture's texts, the first so many; the others are random characters
SHORT = 20  # tokens, special tokens included

# Latency: name -> (texts, tokens of each)
LATENCY = {
    "1": (1, SHORT),
    "10": (10, SHORT),
    "100": (100, SHORT),
    "727": (1, 727),
    "1000": (1, 1000),
    "8x727": (8, 727),
    "8000": (1, 8000),
}
# Load: name -> clients, each with one short text at a time
LOAD = {"c1": 1, "c16": 16, "c256": 256}


def fixture_texts(name):
    lines = (ROOT / f"tests/data/expected/tokens.{name}.jsonl").read_text().splitlines()
    return [json.loads(line)["text"] for line in lines]


def natural_texts():
    return [" ".join(text.split()) for text in fixture_texts("bge-m3")[:NATURAL]]


class TextMaker:
    """`longest` is in tokens, special tokens included, as everywhere here."""

    def __init__(self, model):
        self.longest = model.longest
        self.tokenizer = Tokenizer.from_file(str(model.directory / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.pieces = natural_texts()

    def length(self, text):
        """In tokens, special tokens included."""
        return len(self.tokenizer.encode(text).ids)

    def text(self, number, tokens):
        """The `number`th text; it begins with the number, so no two are equal."""
        text, k = f"{number}", number * 13
        while len((encoding := self.tokenizer.encode(text)).ids) < tokens:
            text, k = f"{text} {self.pieces[k % len(self.pieces)]}", k + 1
        before = encoding.special_tokens_mask.index(0)
        last = encoding.offsets[tokens - 1 - (sum(encoding.special_tokens_mask) - before)][1]
        return text[:last].strip()

    def case(self, name):
        """The texts of a case of LATENCY, or None where the model does not take such long ones.

        727 tokens become as many as the model takes; nothing stands in for 8,000.
        """
        count, tokens = LATENCY[name]
        if tokens > 1000 and tokens > self.longest:
            return None
        return [self.text(i, min(tokens, self.longest)) for i in range(count)]

    def short(self, count):
        """For the clients."""
        return [self.text(1000 + i, SHORT) for i in range(count)]

    def check(self):
        """A few of different lengths: what every engine is checked with before it is timed."""
        return [self.text(500 + i, n) for i, n in enumerate((5, 12, 20, 33, 60, 120))]
