#!/usr/bin/env python3
"""Writes expected/tokenizer.references.json: what the `tokenizers` library makes of awkward texts.

    pip install tokenizers==0.23.2
    python3 tests/data/make_tokenizer_references.py models/all-MiniLM-L6-v2/tokenizer.json

The texts mix scripts, combining marks, emoji, controls, runs of white space and added tokens. Each is
encoded alone or in a pair, truncated or not, by the tokenizers of this folder, of all-MiniLM-L6-v2,
and by variants of them that use every supported component.
"""
import gzip
import json
import pathlib
import random
import sys

import tokenizers
from tokenizers import Tokenizer

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


if __name__ == "__main__":
    main()
