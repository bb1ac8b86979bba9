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


GPT_2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA_3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
           r"\s*[\r\n]+|\s+(?!\S)|\s+")


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def byte_characters():
    """How byte-level models write bytes."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) if byte in shown else chr(0x100 + others.index(byte)) for byte in range(256)]


def bpe_documents(document):
    def bpe(pieces, merges, **options):
        return {"type": "BPE", "vocab": {p: i for i, p in enumerate(pieces)}, "merges": merges} | options

    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    letters = [*byte_characters(), "<s>", "</s>", "he", "ll", "ell", "Ġt", "aa", "aaaa", "ÑĢ"]
    merges = [["h", "e"], ["l", "l"], ["e", "ll"], ["Ġ", "t"], ["a", "a"], ["aa", "aa"], ["Ñ", "Ģ"]]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    spaced = ["<unk>", *bytes_, "▁", "a", "b", "▁a", "ab", "▁ab", "п"]
    prepend = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    return {
        "gpt2": document(bpe(letters, merges), added_tokens=[added("<s>"), added("  ", normalized=True)],
                         pre_tokenizer=byte_level | {"add_prefix_space": True}, post_processor=byte_level,
                         decoder=byte_level),
        "llama3": document(bpe(letters, [" ".join(merge) for merge in merges], ignore_merges=True),
                           normalizer={"type": "NFC"},
                           pre_tokenizer={"type": "Sequence", "pretokenizers": [
                               split(LLAMA_3), byte_level | {"use_regex": False}]},
                           post_processor={"type": "Sequence", "processors": [
                               byte_level, template(["<s>", "A"], ["<s>", "A", "<s>", "B"])]},
                           decoder=byte_level),
        "byte-normalizer": document(bpe(letters, merges), normalizer={"type": "ByteLevel"},
                                    pre_tokenizer=split("Ġ", "MergedWithNext", kind="String")),
        "llama2": document(bpe(spaced, [["▁", "a"], ["a", "b"], ["▁a", "b"]], unk_token="<unk>", fuse_unk=True,
                               byte_fallback=True, dropout=None), normalizer=prepend,
                           decoder={"type": "Sequence", "decoders": [
                               {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                               {"type": "ByteFallback"}, {"type": "Fuse"},
                               {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}),
        "clip": document(bpe(["?", "a", "b</w>", "ab</w>", "##b", "a##b"], [["a", "b</w>"]], unk_token="?",
                             end_of_word_suffix="</w>", continuing_subword_prefix=""),
                         normalizer={"type": "Sequence", "normalizers": [{"type": "Nmt"}, {
                             "type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}]},
                         pre_tokenizer=split(GPT_2, "Removed", True), decoder={"type": "BPEDecoder", "suffix": "</w>"}),
        "subwords": document(bpe(["?", "a", "##b", "##a", "ab"], ["a ##b"], unk_token="?", fuse_unk=False,
                                 continuing_subword_prefix="##"), pre_tokenizer={"type": "Whitespace"}),
    }


def other_documents(document):
    words = {"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1, "hello": 2}, "unk_token": "[UNK]"}
    bytes_ = {"type": "Unigram", "unk_id": 0, "byte_fallback": True,
              "vocab": [["<unk>", 0], ["a", -1], *([f"<0x{byte:02X}>", -9] for byte in range(256))]}
    return {
        "words": document(words, pre_tokenizer={"type": "Sequence", "pretokenizers": [
            {"type": "UnicodeScripts"}, {"type": "Digits", "individual_digits": True},
            {"type": "Punctuation", "behavior": "Contiguous"}, {"type": "CharDelimiterSplit", "delimiter": " "},
            {"type": "FixedLength", "length": 5}, split("", "Removed", kind="String")]},
            decoder={"type": "CTC", "pad_token": "a", "word_delimiter_token": "|", "cleanup": True}),
        "bytes": document(bytes_, pre_tokenizer=split(" ", "MergedWithPrevious", kind="String")),
    }


def regex():
    texts = ["don't I'LL  12345 x=3;\n\n  \r\n\t² é中文", "aaabab  \n \nAAbb'S1"]
    patterns = {"gpt2": GPT_2, "llama3": LLAMA_3, "possessive": r"[^\r\n\p{L}]?+\p{L}+| ?[^\s\p{L}]++[\r\n]*",
                "classes": r"[a-z&&[^b]\d\-]+|[^(\s|[.,])]{2,3}?|\x41\u00e9|\P{L}(?=\s|$)|\z|\p{^Han}",
                "groups": "(?:a|(b|ab)+?)c*|(?i:k's)"}
    return {name: f"{pattern}\0{text}" for name, pattern in patterns.items() for text in texts[:1]} | {
        "short": f"a+b?|\\s+(?!\\S)|\\s+\0{texts[1]}"}


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
    documents |= bpe_documents(document) | other_documents(document)
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
    for kind in range(2, 8):  # the other tokenizers
        seeds[f"kind-{kind}"] = bytes([kind & 1 | (kind & 6) << 3 | 10, 0]) + "".join(texts[1:7]).encode()
    seeds["not-utf-8"] = b"\x0f\x00ok \xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80"
    return seeds
