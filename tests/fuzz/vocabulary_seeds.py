"""Seeds of the files of vocabularies."""

import base64
import json
import struct

from tokenizer_seeds import charsmap, tokenizer_json


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def piece(text, score=0.0, kind=None):
    return block(1, block(1, text) + varint(2 << 3 | 5) + struct.pack("<f", score) +
                 (number(3, kind) if kind else b""))


def sentencepiece():
    """The first byte is the class."""
    words = [piece(text, -i - 1.5) for i, text in enumerate(["▁", "a", "l", "o", "▁a", "lo", "H", "al", "é"])]
    control = [piece("<unk>", kind=2), piece("<s>", kind=3), piece("</s>", kind=3)]
    table = block(3, block(1, "x") + block(2, base64.b64decode(charsmap())))
    albert = [piece("<pad>", kind=3), piece("<unk>", kind=2), piece("[CLS]", kind=3), piece("[SEP]", kind=3),
              piece("(", kind=4)]
    t5 = [piece("<pad>", kind=3), piece("</s>", kind=3), piece("<unk>", kind=2)]
    bytes_ = [piece(f"<0x{byte:02X}>", kind=6) for byte in range(256)]
    unigram = block(2, number(3, 1) + number(40, 0) + block(45, "<unk>"))
    bpe = block(2, number(3, 2) + number(35, 1) + number(41, 1) + number(43, (1 << 64) - 1))
    deberta = [piece("[PAD]", kind=3), piece("[CLS]", kind=3), piece("[SEP]", kind=3), piece("[UNK]", kind=2)]

    def file(of_class, *parts):
        return bytes([of_class]) + b"".join(parts)

    return {
        "xlm-roberta": file(0, *control, *words, unigram, table),
        "camembert": file(1, *control, *words, unigram),
        "albert": file(2, *albert, *words, unigram, table),
        "t5": file(3, *t5, *words, block(2, number(3, 1) + number(40, 2)), table),
        "deberta-v2": file(4, *deberta, *words, block(2, number(40, 3))),
        "llama": file(5, *control, *bytes_, *words, bpe),
        "gemma": file(6, *control, *words, piece("a", -1), bpe),
        "plain": file(7, *control, *words, unigram, table),
        "plain-bpe": file(7, *control, *bytes_, *words, bpe),
        "other-fields": file(0, *control, varint(9 << 3 | 1) + bytes(8), block(5, ""), *words),
    }


def tokenizer_files():
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##a", "hello", ",", "п", "##р"]
    merges = "#version: 0.2\nh e\nhe l\n"
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "h", "e", "l", "o", "\u0120", "he", "hel", "<|endoftext|>"]
    vocab_json = {text: i for i, text in enumerate(pieces)}

    def files(*parts):
        return "\0".join(part if isinstance(part, str) else json.dumps(part) for part in parts)

    added = {"content": "new", "lstrip": True, "rstrip": False, "single_word": False, "normalized": True,
             "special": False}
    documents = tokenizer_json()
    return {
        "bert": files({"do_lower_case": False}, {"mask_token": {"content": "[MASK]", "lstrip": True}},
                      {"new": 11}, "", "\n".join(vocabulary)),
        "mpnet": files({"tokenizer_class": "MPNetTokenizer", "unk_token": "[UNK]"}, "", "", "",
                       "\r\n".join(vocabulary)),
        "roberta": files({"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True}, "", "", "", "",
                         vocab_json, merges),
        "gpt2": files({"tokenizer_class": "GPT2Tokenizer", "add_eos_token": True, "pad_token": None}, "", "",
                      "", "", vocab_json, merges),
        "qwen2": files({"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": {"13": added}}, "", "",
                       "", "", vocab_json, merges),
        "bert-beside": files({"added_tokens_decoder": {"3": added}}, "", "", documents["bert"]),
        "xlm-roberta-beside": files({"tokenizer_class": "XLMRobertaTokenizer", "add_prefix_space": False}, "",
                                    "", documents["xlm-roberta"]),
        "t5-beside": files({"tokenizer_class": "T5Tokenizer", "extra_ids": 2},
                           {"additional_special_tokens": ["<extra_id_0>", "<extra_id_1>"]}, "",
                           documents["xlm-roberta"]),
        "albert-beside": files({"tokenizer_class": "AlbertTokenizer", "keep_accents": True}, "", {"x": 8},
                               documents["normalizers"]),
        "deberta-beside": files({"tokenizer_class": "DebertaV2Tokenizer", "unk_id": 2, "cls_token": "a"}, "",
                                "", documents["xlm-roberta"]),
        "camembert-beside": files({"tokenizer_class": "CamembertTokenizer", "extra_special_tokens": []}, "",
                                  "", documents["xlm-roberta"]),
    }
