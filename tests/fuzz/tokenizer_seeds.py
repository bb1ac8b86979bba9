"""Seeds of tokenizer.json and of the texts that a tokenizer takes."""

import base64
import json
import random
import struct


def added(content, **flags):
    token = dict(id=0, content=content, single_word=False, lstrip=False, rstrip=False,
                 normalized=False, special=True)
    return token | flags


def template(single, pair):
    def pieces(names):
        return [{"Sequence": {"id": n, "type_id": int(n == "B")}} if n in "AB" else
                {"SpecialToken": {"id": n, "type_id": 0}} for n in names]
    special = {n: {"id": n, "ids": [i], "tokens": [n]} for i, n in enumerate(["<s>", "</s>"])}
    return {"type": "TemplateProcessing", "single": pieces(single), "pair": pieces(pair),
            "special_tokens": special}


def charsmap():
    """A trie of darts-clone with the one key "a" (its value 0), and the replacement "xy"."""
    units = [0] * 0x100
    units[0] = 1 << 10  # the root's children are at 0 ^ 1
    child = 1 ^ ord("a")
    units[child] = ord("a") | 1 << 8 | (child ^ 0x80) << 10
    units[0x80] = 1 << 31
    blob = struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + b"xy\0"
    return base64.b64encode(blob).decode()


def tokenizer_json():
    unigram = {"type": "Unigram", "unk_id": 2, "byte_fallback": False,
               "vocab": [["<s>", 0], ["</s>", 0], ["<unk>", 0], ["▁", -1], ["a", -2.5],
                         ["▁a", -2], ["лл", -3.25], ["aaaa", -4]]}
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##a", "hello", "##ello", "h", ",", "!", "п",
              "##р", "中"]
    word_piece = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 20, "vocab": {p: i for i, p in enumerate(pieces)}}
    bert = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
            "strip_accents": None, "lowercase": True}
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}

    def document(model, **parts):
        return {"version": "1.0", "model": model} | parts

    documents = {
        "xlm-roberta": document(
            unigram, added_tokens=[added("<s>"), added("<mask>", lstrip=True)],
            normalizer={"type": "Sequence", "normalizers": [
                {"type": "Precompiled", "precompiled_charsmap": charsmap()},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
            pre_tokenizer={"type": "Sequence", "pretokenizers": [
                {"type": "WhitespaceSplit"}, metaspace]},
            post_processor=template(["<s>", "A", "</s>"], ["<s>", "A", "</s>", "</s>", "B", "</s>"]),
            decoder=metaspace),
        "bert": document(
            word_piece, added_tokens=[added("[SEP]"), added("new", normalized=True, rstrip=True,
                                                            single_word=True, special=False)],
            normalizer=bert, pre_tokenizer={"type": "BertPreTokenizer"},
            post_processor={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True}),
        "roberta": document(
            word_piece, normalizer={"type": "Lowercase"}, pre_tokenizer=metaspace,
            post_processor={"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0],
                            "trim_offsets": True, "add_prefix_space": True},
            decoder={"type": "ByteLevel"}),
        "normalizers": document(
            unigram, normalizer={"type": "Sequence", "normalizers": [
                {"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": True},
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": "a"}, "content": "лл"},
                {"type": "StripAccents"}]},
            pre_tokenizer={"type": "Metaspace", "replacement": "_", "add_prefix_space": False,
                           "prepend_scheme": "never", "split": False},
            decoder={"type": "Metaspace", "replacement": "_", "add_prefix_space": True}),
    }
    for form in ("NFC", "NFD", "NFKD"):
        documents[form.lower()] = document(unigram, normalizer={"type": form})
    return {name: json.dumps(value, ensure_ascii=False) for name, value in documents.items()}


def text():
    rng = random.Random(1)
    texts = ["", "Hello, world!", "  two  spaces \t\n", "Пример текста 中文字 한국어 日本語",
             "café café ﬁ Ａ ẞ İ", "👨‍👩‍👧 🇷🇺 क्षि ก็", "<s>[SEP]<mask>[MASK] </s>", "a\0b\0c",
             "word" * 40, "x" * 150, "ё́̈̈ о͜о", " ​﻿�", "1,234.56-78/9"]
    alphabet = "aé中 ́‍👍\n-1"
    texts += ["".join(rng.choice(alphabet) for _ in range(60)) for _ in range(4)]
    seeds = {str(i): bytes([rng.randrange(16), rng.choice([0, 1, 2, 3, 8, 200])]) + t.encode()
             for i, t in enumerate(texts)}
    seeds["not-utf-8"] = b"\x0f\x00ok \xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80"
    return seeds
