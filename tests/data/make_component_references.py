#!/usr/bin/env python3
"""Writes expected/tokenizer.components.json: what the `tokenizers` library makes of awkward texts.

    pip install tokenizers==0.23.2
    python3 tests/data/make_component_references.py

By the tokenizers of small-tokenizers/, and by variants of them that use every component that
expected/tokenizer.references.json has not, with all its options. `changes` are a JSON merge patch (RFC 7386).
"""
import copy
import json
import pathlib
import random

import tokenizers
from make_tokenizer_references import added, make_cases
from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).parent
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def byte_level(**fields):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True, **fields}


def split(pattern, behavior="Isolated", invert=False):
    kind = "String" if len(pattern) < 2 else "Regex"
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def pre(*members):
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(members)}}


def norm(*members):
    return {"normalizer": {"type": "Sequence", "normalizers": list(members)}}


def post(*members):
    return {"post_processor": {"type": "Sequence", "processors": list(members)}}


def decode(*members):
    return {"decoder": {"type": "Sequence", "decoders": list(members)}}


def model(**fields):
    return {"model": fields}


BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
TOKENS = [added("foo", single_word=True), added("xx", lstrip=True), added("yy", rstrip=True),
          added("FOO", normalized=True), added("é", normalized=True, lstrip=True, special=True),
          added("日本", lstrip=True, rstrip=True, special=True)]
TEMPLATE = {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                     {"SpecialToken": {"id": "<s>", "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}}


def unigram():
    """One that knows few characters, with bytes for the others."""
    pieces = ["<unk>", "▁", "a", "e", "▁a", "an", "но", "é", "n"] + BYTES
    return {"version": "1.0", "added_tokens": [], "normalizer": None,
            "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
            "post_processor": byte_level(trim_offsets=True), "decoder": {"type": "Metaspace", "replacement": "▁"},
            "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": True,
                      "vocab": [[piece, -1.5 - i / 8] for i, piece in enumerate(pieces)]}}


def without_bytes(document):
    """A byte-level BPE of which some bytes are no pieces, and the merges of these neither."""
    vocab, gone = document["model"]["vocab"], "ĠeÐÑ"
    patch = {piece: None for piece in vocab if set(piece) & set(gone)}
    kept = [merge for merge in document["model"]["merges"] if not set("".join(merge)) & set(gone)]
    return {"vocab": patch, "merges": kept[:300]}


def variants(documents):
    roberta = documents["roberta"]
    some_bytes = without_bytes(roberta)
    yield "roberta", {}
    yield "roberta", {"pre_tokenizer": byte_level(add_prefix_space=True), "added_tokens": roberta["added_tokens"] + TOKENS}
    yield "roberta", {"post_processor": byte_level(add_prefix_space=True)}
    yield "roberta", {"post_processor": byte_level(trim_offsets=False)}
    yield "roberta", {"pre_tokenizer": byte_level(add_prefix_space=True),
                      "post_processor": byte_level(add_prefix_space=True)}
    yield "roberta", post(byte_level(trim_offsets=True), TEMPLATE)
    yield "roberta", post(TEMPLATE, byte_level(add_prefix_space=True))
    yield "roberta", post(byte_level(), {**roberta["post_processor"], "trim_offsets": True})
    yield "roberta", {"pre_tokenizer": byte_level(use_regex=False)}
    yield "roberta", model(ignore_merges=True) | {"pre_tokenizer": byte_level(use_regex=False)}
    yield "roberta", pre(split(r"\s+", "MergedWithNext"), byte_level(use_regex=False, add_prefix_space=True))
    yield "roberta", pre({"type": "Digits", "individual_digits": True}, byte_level())
    yield "roberta", pre({"type": "Punctuation", "behavior": "Contiguous"}, byte_level(),
                         {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]"))
    yield "roberta", pre({"type": "UnicodeScripts"}, byte_level(use_regex=False))
    yield "roberta", pre({"type": "FixedLength", "length": 4}, byte_level(use_regex=False))
    yield "roberta", pre({"type": "CharDelimiterSplit", "delimiter": "e"}, byte_level(use_regex=False))
    yield "roberta", pre({"type": "Whitespace"}, byte_level(use_regex=False))
    yield "roberta", norm({"type": "NFC"}, {"type": "ByteLevel"}) | {"pre_tokenizer": split("Ġ", "MergedWithNext"),
                                                                   "added_tokens": roberta["added_tokens"] + TOKENS}
    for unk in ({}, {"unk_token": "<unk>"}, {"unk_token": "<unk>", "fuse_unk": True}):
        yield "roberta", model(**some_bytes, **unk)
    yield "modernbert", {}
    yield "modernbert", norm({"type": "NFKD"}, {"type": "Nmt"}, {"type": "Strip", "strip_left": True, "strip_right": False}) | {
        "added_tokens": []}
    for behavior in BEHAVIORS:
        yield "words", {"pre_tokenizer": split(r"\s+|[.,]", behavior)}
        yield "words", {"pre_tokenizer": split(r"\p{L}+", behavior, True)}
        yield "words", {"pre_tokenizer": split(" ", behavior)}
        yield "words", {"pre_tokenizer": {"type": "Punctuation", "behavior": behavior}}
    yield "words", {}
    yield "words", {"pre_tokenizer": split("", "Removed")}
    yield "words", {"pre_tokenizer": {"type": "UnicodeScripts"}}
    yield "words", {"pre_tokenizer": {"type": "Punctuation"}, "decoder": {"type": "CTC", "pad_token": "a",
                                                                         "word_delimiter_token": "e", "cleanup": True}}
    yield "words", decode({"type": "Replace", "pattern": {"Regex": r"[aeiou]{2}|\d"}, "content": "<>"},
                          {"type": "Strip", "content": "s", "start": 0, "stop": 2}, {"type": "Fuse"})
    yield "words", norm({"type": "Replace", "pattern": {"Regex": r"\s+|[aeiou](?=r)"}, "content": "_x"},
                        {"type": "Lowercase"}) | {"pre_tokenizer": split("_", "MergedWithPrevious")}
    yield "llama2", {}
    yield "llama2", {"normalizer": None, "pre_tokenizer": METASPACE}
    yield "llama2", {"normalizer": None, "pre_tokenizer": {"type": "Metaspace", "replacement": "▁",
                                                          "add_prefix_space": True, "str_rep": "▁"}}
    yield "llama2", {"normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
                     "pre_tokenizer": split(" ", "MergedWithPrevious")}
    yield "llama2", model(byte_fallback=False)
    yield "llama2", model(byte_fallback=False, fuse_unk=False)
    yield "llama2", model(byte_fallback=False, fuse_unk=False, unk_token=None)
    yield "llama2", model(ignore_merges=True)
    # Characters of Greek and CJK become unknown beside others that become bytes.
    some = {piece: None for piece in ("<0xCE>", "<0xE4>", "<0xE5>", "<0xF0>")}
    yield "llama2", model(vocab=some)
    yield "llama2", model(vocab=some, fuse_unk=False)
    yield "llama2", {"added_tokens": documents["llama2"]["added_tokens"] + TOKENS}
    yield "t5", {}
    yield "t5", norm({"type": "Nmt"}, {"type": "NFKC"}) | {"pre_tokenizer": METASPACE}
    yield "unigram", {}
    yield "unigram", {"model": {"byte_fallback": False}}
    yield "unigram", decode({"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True})
    yield "clip", {}
    yield "clip", {"pre_tokenizer": {"type": "Whitespace"}}
    yield "subwords", {}
    yield "subwords", model(fuse_unk=False)
    yield "subwords", model(unk_token=None)


def patched(document, patch):
    if not isinstance(patch, dict):
        return patch
    document = copy.deepcopy(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = patched(document.get(name), value)
    return document


def cases_of(tokenizer, rng, count):
    """Those in which the library does not panic, as it does where tokens that strip spaces meet."""
    cases = []
    while len(cases) < count:
        try:
            case, = make_cases(tokenizer, rng, 1)
            case["decoded"] = tokenizer.decode(case["ids"], skip_special_tokens=True)
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            continue
        cases.append(case)
    return cases


def main():
    rng = random.Random(20260203)
    documents = {path.stem: json.loads(path.read_text()) for path in sorted((HERE / "small-tokenizers").glob("*.json"))}
    documents["unigram"] = unigram()
    out = {"made_by": f"tokenizers {tokenizers.__version__}", "documents": {"unigram": documents["unigram"]},
           "tokenizers": []}
    for base, changes in variants(documents):
        # A pre-tokenizer or decoder is replaced, not patched.
        whole = {k: v for k, v in changes.items() if k != "model"}
        document = patched({**documents[base], **whole}, {"model": changes.get("model", {})})
        tokenizer = Tokenizer.from_str(json.dumps(document))
        out["tokenizers"].append({"base": base, "changes": changes, "cases": cases_of(tokenizer, rng, 24)})
    path = HERE / "expected/tokenizer.components.json"
    path.write_text(json.dumps(out, separators=(",", ":")).replace('{"base"', '\n{"base"') + "\n")


if __name__ == "__main__":
    main()
