#!/usr/bin/env python3
"""Writes small-tokenizers/*.json: one tokenizer of each kind that there is no package with.

    pip install tokenizers==0.23.2
    python3 tests/data/make_small_tokenizers.py

They are trained on the texts of expected/tokens.bge-m3.jsonl and expected/tokenizer_texts.jsonl, and have
the components and flags of the models that they are named after. Training breaks ties by chance: a file
that is there stays.
"""
import gzip
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "small-tokenizers"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def texts():
    for line in (HERE / "expected/tokens.bge-m3.jsonl").read_text().splitlines():
        yield json.loads(line)["text"]
    for line in (HERE / "expected/tokenizer_texts.jsonl").read_text().splitlines():
        yield json.loads(line)


def template(first, last, tokenizer):
    ends = [(t, tokenizer.token_to_id(t)) for t in (first, last) if t]
    begin, end = f"{first} " if first else "", f" {last}" if last else ""
    return processors.TemplateProcessing(single=f"{begin}$A{end}", pair=f"{begin}$A{end} $B:1{end + ':1' if end else ''}",
                                         special_tokens=ends)


def byte_level_trainer(special, size=2000):
    return trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False,
                               initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))


def roberta():
    tokenizer = Tokenizer(models.BPE(unk_token=None, continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(texts(), byte_level_trainer(special + ["<mask>"]))
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def modernbert():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts(), byte_level_trainer(["|||IP_ADDRESS|||", "<|padding|>"]))
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)])
    tokenizer.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]", AddedToken("[MASK]", lstrip=True, special=True)])
    tokenizer.post_processor = template("[CLS]", "[SEP]", tokenizer)
    return tokenizer


def llama2():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    special = ["<unk>", "<s>", "</s>"]
    # Not all of its characters are pieces, so that bytes are needed.
    tokenizer.train_from_iterator(texts(), trainers.BpeTrainer(
        vocab_size=3000, limit_alphabet=1000, special_tokens=special + BYTES, show_progress=False))
    document = json.loads(tokenizer.to_str())
    document["added_tokens"] = [t for t in document["added_tokens"] if t["content"] in special]
    document["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.post_processor = template("<s>", None, tokenizer)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    return tokenizer


def t5():
    bge_m3 = json.loads(gzip.open(HERE / "bge-m3-files/tokenizer.json.gz").read())
    charsmap = bge_m3["normalizer"]["normalizers"][0]
    assert charsmap["type"] == "Precompiled"
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    # All characters that it is trained on become pieces: not those of 80 languages.
    western = (text for text in texts() if max(map(ord, text), default=0) < 0x530)
    tokenizer.train_from_iterator(western, trainers.UnigramTrainer(
        vocab_size=2500, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))
    document = json.loads(tokenizer.to_str())
    document["normalizer"] = charsmap
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.add_special_tokens([f"<extra_id_{n}>" for n in range(99, -1, -1)])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = template(None, "</s>", tokenizer)
    return tokenizer


def clip():
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>", continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    words = Regex(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(words, "removed", invert=True),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.BPEDecoder()
    tokenizer.train_from_iterator(texts(), trainers.BpeTrainer(
        vocab_size=2000, end_of_word_suffix="</w>", show_progress=False,
        special_tokens=["<|startoftext|>", "<|endoftext|>"]))
    tokenizer.post_processor = processors.RobertaProcessing(("<|endoftext|>", 1), ("<|startoftext|>", 0))
    return tokenizer


def subwords():
    """A BPE with a prefix for what continues a word, whose unknown characters are fused."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", continuing_subword_prefix="##", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Whitespace(), pre_tokenizers.Digits(), pre_tokenizers.UnicodeScripts(),
        pre_tokenizers.Punctuation("contiguous")])
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(texts(), trainers.BpeTrainer(
        vocab_size=1500, limit_alphabet=300, continuing_subword_prefix="##", special_tokens=["[UNK]", "[CLS]", "[SEP]"],
        show_progress=False))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return tokenizer


def words():
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(texts(), trainers.WordLevelTrainer(vocab_size=2000, special_tokens=["[UNK]"], show_progress=False))
    return tokenizer


def main():
    FOLDER.mkdir(exist_ok=True)
    for make in (roberta, modernbert, llama2, t5, clip, subwords, words):
        path = FOLDER / f"{make.__name__}.json"
        if not path.exists():
            path.write_text(json.dumps(json.loads(make().to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
            print(path)


if __name__ == "__main__":
    main()
