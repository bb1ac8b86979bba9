#!/usr/bin/env python3
"""Writes expected/tokenizer.references.json: what the `tokenizers` library makes of awkward texts.
And expected/tokenizer.ties.json: what it makes of words that can be cut in several equal ways.

    pip install tokenizers==0.23.2
    python3 tests/data/make_tokenizer_references.py models/all-MiniLM-L6-v2/tokenizer.json

The texts mix scripts, combining marks, emoji, controls, runs of white space and added tokens. Each is
encoded alone or in a pair, truncated or not, by the tokenizers of this folder, of all-MiniLM-L6-v2,
and by variants of them that use every supported component.

Which of two equal ways is taken hangs on the last bit of the scores, so the tokenizers made for that
are kept as text: their numbers are not to be written anew.
"""
import gzip
import json
import pathlib
import random
import sys

import tokenizers
from tokenizers import Tokenizer
from tokenizers.models import Unigram

HERE = pathlib.Path(__file__).parent
SCRIPTS = [(0x21, 0x7F), (0xA1, 0x250), (0x370, 0x400), (0x400, 0x530), (0x5D0, 0x5EB), (0x620, 0x650),
           (0x900, 0x980), (0x980, 0xA00), (0xB80, 0xC00), (0xE01, 0xE50), (0x1000, 0x1050),
           (0x1100, 0x1200), (0x1E00, 0x1F00), (0x2000, 0x2070), (0x2100, 0x2190), (0x3041, 0x3100),
           (0x3300, 0x3400), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFAFF), (0xFB00, 0xFB50),
           (0xFF01, 0xFF5F), (0x10400, 0x10450), (0x11300, 0x11380), (0x1D400, 0x1D500),
           (0x1F300, 0x1F650), (0x20000, 0x20100)]
MARKS = [0x300, 0x301, 0x307, 0x308, 0x327, 0x323, 0x334, 0x345, 0x5B0, 0x64B, 0x93C, 0x94D, 0x9BE, 0x302E,
         0x302F, 0x20E3, 0xFE0F, 0x200D, 0x1D165, 0x16FF0, 0x1ACF]
WORDS = ("Hello world the Straße İstanbul naïve cafe\u0301 Überraschung Привет мир 東京タワー 日本語 한국어 안녕하세요 "
         "नमस्ते दुनिया สวัสดี مرحبا שלום Ελλάς ΣΊΣΥΦΟΣ ﬁnance ½ ① ㍿ ™ ﷺ unaffable don't x.y,z ##ing "
         "embedding-service 3.14159 https://example.com/a?b=c").split()
ODD = ["<s>", "</s>", "<unk>", "<mask>", " <mask> ", "   <mask>", "[CLS]", "[SEP]", "[MASK]", "[unk]", "▁", "▁▁a",
       "\u0120x", "👨‍👩‍👧", "🇩🇪🇫🇷", "👍🏽", "☺\ufe0f", "\r\n", "\n\n", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff",
       "\x01", "\x7f", "\u00ad", "\ufffd", "\ue000", "\U000e0001", "a" * 101, "   ", "        ", "\u2028", "foo",
       "foobar", "-foo-", "afoo", "FOO", "xx", "  xx  ", "yy  yy", "日本", "é", "e\u0301", "É"]


def random_text(rng):
    def piece():
        kind = rng.randrange(8)
        if kind < 3:
            return rng.choice(WORDS)
        if kind < 5:
            return rng.choice(ODD)
        if kind == 5:
            return rng.choice("aeouAEnсक가g") + "".join(chr(rng.choice(MARKS)) for _ in range(rng.randrange(4)))
        low, high = rng.choice(SCRIPTS)
        return "".join(chr(rng.randrange(low, high)) for _ in range(rng.randrange(1, 6)))

    count = rng.choice([0, 1, 1, 2, 3, 5, 8, 12])
    return "".join(piece() + rng.choice(["", "", " "]) for _ in range(count))


def make_cases(tokenizer, rng, count):
    cases = []
    for _ in range(count):
        first = random_text(rng)
        second = random_text(rng) if rng.random() < 0.35 else None
        limit = rng.choice([0, 0, 5, 6, 7, 8, 9, 16])
        left, special = rng.random() < 0.5, rng.random() < 0.8
        pair = () if second is None else (second,)
        tokenizer.no_truncation()
        whole = len(tokenizer.encode(first, *pair, add_special_tokens=special))
        if limit:
            tokenizer.enable_truncation(limit, direction="left" if left else "right")
        e = tokenizer.encode(first, *pair, add_special_tokens=special)
        cases.append({"text": first, "pair": second, "max_tokens": limit, "left": left, "special": special,
                      "ids": e.ids, "type_ids": e.type_ids, "special_mask": e.special_tokens_mask,
                      "offsets": [x for o in e.offsets for x in o], "untruncated": whole})
    return cases


def added(content, **flags):
    return {"id": 0, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": False, **flags}


def variants(tiny):
    """(base, what replaces members of its tokenizer.json): every component at least once."""
    def metaspace(**fields):
        return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True, **fields}

    def bert(**fields):
        return {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                "strip_accents": None, "lowercase": True, **fields}

    def sequence(*members):
        return {"type": "Sequence", "normalizers": list(members)}

    cls_sep = {"sep": ["</s>", 2], "cls": ["<s>", 0]}
    roberta = {"type": "RobertaProcessing", **cls_sep, "trim_offsets": True, "add_prefix_space": True}
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    words = tiny["added_tokens"] + [
        added("foo", single_word=True), added("foobar"), added("xx", lstrip=True),
        added("yy", rstrip=True), added("日本", lstrip=True, rstrip=True)]
    normalized = tiny["added_tokens"] + [
        added("FOO", normalized=True), added("é", normalized=True, lstrip=True),
        added("xx", normalized=True, single_word=True), added("ﬁ", normalized=True)]
    tiny_variants = [
        {"added_tokens": words},
        {"added_tokens": normalized},
        {"added_tokens": normalized, "normalizer": sequence({"type": "NFKC"}, {"type": "Lowercase"})},
        {"normalizer": {"type": "NFC"}}, {"normalizer": {"type": "NFD"}},
        {"normalizer": {"type": "NFKD"}, "pre_tokenizer": metaspace(prepend_scheme="first")},
        {"normalizer": sequence({"type": "NFD"}, {"type": "StripAccents"}),
         "pre_tokenizer": metaspace(prepend_scheme="never")},
        {"normalizer": {"type": "Strip", "strip_left": True, "strip_right": True},
         "pre_tokenizer": metaspace(split=False)},
        {"normalizer": sequence({"type": "Prepend", "prepend": "▁"}, replace), "pre_tokenizer": None},
        {"normalizer": None, "added_tokens": words, "post_processor": roberta,
         "pre_tokenizer": metaspace(prepend_scheme="first")},
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace()]}},
        {"pre_tokenizer": {"type": "Metaspace", "replacement": "_", "add_prefix_space": True}},
        {"post_processor": {"type": "BertProcessing", **cls_sep}},
        {"post_processor": roberta, "pre_tokenizer": None, "added_tokens": words},
        {"post_processor": {**roberta, "add_prefix_space": False}, "added_tokens": words},
        {"post_processor": None},
    ]
    mini_variants = [
        {"normalizer": bert(clean_text=False)}, {"normalizer": bert(handle_chinese_chars=False)},
        {"normalizer": bert(strip_accents=False)}, {"normalizer": bert(lowercase=False)},
        {"normalizer": bert(strip_accents=True, lowercase=False)},
        {"normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}},
    ]
    return [("tiny-bge-m3", v) for v in tiny_variants] + [("all-MiniLM-L6-v2", v) for v in mini_variants]


def normalizer_cases(rng):
    bert = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
            "strip_accents": None, "lowercase": True}
    specs = [{"type": t} for t in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents")]
    specs += [bert, {**bert, "clean_text": False}, {**bert, "strip_accents": False}]
    for spec in specs:
        document = {"version": "1.0", "normalizer": spec,
                    "model": {"type": "WordLevel", "vocab": {"x": 0}, "unk_token": "x"}}
        normalize = Tokenizer.from_str(json.dumps(document)).normalizer.normalize_str
        texts = [random_text(rng) for _ in range(60)]
        yield {"normalizer": spec, "cases": [[text, normalize(text)] for text in texts]}


# Forms of numbers: whole, short, more digits than a double or a u64 holds, with exponents, the
# shortest of an f32.
NUMBERS = """-1 -2 -3 0 -0 -0.0 -0.1 -0.2 -0.3 -0.5 -0.7 -1.1 -2.2 -3.3 -9.6 0.30000000000000004
-1e1 -25e-1 -1.5E+0 -4e0 -11e-20 -1e-320 5e-400 -3.216679E+2 -1.7976931348623157e308 1e22 1e23
-6.093497276306152 -11.493908882141113 -7.4715776443481445 -7.7206902503967285 -9.630026817321777
-2.753984230605491 -0.51570166051562116 -6.0635602411218100129712E-0 -6.934187113708778049669945
-9007199254740993 -9007199254740993.0 -9007199254740993e0 18446744073709551615 -1844674407370955161.5
-18446744073709551615.5e-19 -18446744073709551616.5e-19 -123456789012345678901234567890.5e-29
0.000000000000000000000000000012345678901234567890123 -4.35 -10.877930539077608""".split()


def unigram(pieces, unk_id):
    """The text of a tokenizer.json; the pieces' scores are text."""
    vocab = ",".join(f"[{json.dumps(piece)},{score}]" for piece, score in pieces)
    return f'{{"version":"1.0","model":{{"type":"Unigram","unk_id":{unk_id},"vocab":[{vocab}]}}}}'


def read_scores():
    pieces = [(f"piece {i}", number) for i, number in enumerate(NUMBERS)]
    read = json.loads(Tokenizer.from_str(unigram(pieces, 0)).to_str())["model"]["vocab"]
    return [[number, score] for number, (_, score) in zip(NUMBERS, read)]


def random_unigram(rng, alphabet):
    """A few pieces with fewer scores, some unknown characters, perhaps one piece twice."""
    scores = rng.sample([n for n in NUMBERS if abs(float(n)) < 1000], rng.randrange(1, 4))
    texts = {"".join(rng.choices(alphabet, k=rng.randrange(1, 5))) for _ in range(rng.randrange(3, 12))}
    if rng.random() < 0.6:
        texts |= set(alphabet)
    texts = sorted(texts)
    rng.shuffle(texts)
    if rng.random() < 0.2:
        texts.append(rng.choice(texts))
    unk_id = rng.randrange(len(texts) + 1)
    texts.insert(unk_id, "<unk>")
    return unigram([(text, rng.choice(scores)) for text in texts], unk_id)


def tie_cases(tokenizer, texts):
    return [[text, tokenizer.encode(text, add_special_tokens=False).ids] for text in texts]


def with_nearest_scores(document):
    """The same with each score the double nearest to the number, as JSON is read elsewhere."""
    model = json.loads(document)["model"]
    return Tokenizer(Unigram([(piece, float(score)) for piece, score in model["vocab"]], model["unk_id"]))


def made_ties(rng):
    """Equal sums; in half of the models the nearest doubles would decide one of the texts otherwise."""
    ordinary, touchy = [], []
    while len(ordinary) < 40 or len(touchy) < 40:
        alphabet = rng.choice(["a", "ab", "aб", "東b", "abc"])
        document = random_unigram(rng, alphabet)
        texts = ["".join(rng.choices(alphabet + rng.choice(["", "q"]), k=rng.randrange(1, 14)))
                 for _ in range(12)]
        cases = tie_cases(Tokenizer.from_str(document), texts)
        kind = ordinary if cases == tie_cases(with_nearest_scores(document), texts) else touchy
        if len(kind) < 40:
            kind.append({"document": document, "cases": cases})
    return ordinary + touchy


def repeated_letters(tokenizer):
    """A letter many times, alone and behind a syllable."""
    texts = [letter * k for letter in "anzабнщ0179あ東가ن" for k in (2, 3, 5, 8, 13)]
    texts += [begin + letter * k for begin, letters in [("la", "nx"), ("ha", "v9"), ("на", "но")]
              for letter in letters for k in range(1, 13)]
    texts += ["גבגגבבג あああおお паааааа", "aaaa bbbbb ccccc", "хахахахаха", "0101010101"]
    return tie_cases(tokenizer, texts)


def main():
    rng = random.Random(20260101)
    documents = {
        "bge-m3": json.loads(gzip.open(HERE / "bge-m3-files/tokenizer.json.gz").read()),
        "tiny-bge-m3": json.loads((HERE / "tiny-bge-m3/tokenizer.json").read_text()),
        "all-MiniLM-L6-v2": json.loads(pathlib.Path(sys.argv[1]).read_text()),
    }
    out = {"made_by": f"tokenizers {tokenizers.__version__}", "tokenizers": [], "normalizers": []}
    plans = [(base, {}, 120) for base in documents]
    plans += [(base, changes, 25) for base, changes in variants(documents["tiny-bge-m3"])]
    for base, changes, count in plans:
        document = {**documents[base], "truncation": None, "padding": None, **changes}
        tokenizer = Tokenizer.from_str(json.dumps(document))
        out["tokenizers"].append({"base": base, "changes": changes,
                                  "cases": make_cases(tokenizer, rng, count)})
    out["normalizers"] = list(normalizer_cases(rng))
    path = HERE / "expected/tokenizer.references.json"
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")

    bge_m3 = Tokenizer.from_str(json.dumps(documents["bge-m3"]))
    ties = {"made_by": out["made_by"], "scores": read_scores(), "bge-m3": repeated_letters(bge_m3),
            "made": made_ties(random.Random(4))}
    path = HERE / "expected/tokenizer.ties.json"
    path.write_text(json.dumps(ties, separators=(",", ":")).replace('{"document"', '\n{"document"') + "\n")


if __name__ == "__main__":
    main()
