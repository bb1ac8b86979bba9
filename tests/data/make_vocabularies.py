"""Small vocabularies of every kind that models have without a tokenizer.json, in vocabularies/.

    python tests/data/make_vocabularies.py     (needs sentencepiece 0.2.3 and tokenizers 0.23.2)

They are trained on the texts of expected/tokens.bge-m3.jsonl. What is there is left as it is: training
numbers pieces by chance, and make_tokenizer_classes.py has made references of these.
"""

import collections
import json
import pathlib
import shutil
import tempfile

import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "vocabularies"
ROWS = (HERE / "expected/tokens.bge-m3.jsonl").read_text(encoding="utf-8").splitlines()
TEXTS = [text for text in (json.loads(row)["text"] for row in ROWS[:1500]) if text.strip()]
# Of the characters no more than a small vocabulary has room for.
COMMON = {c for c, _ in collections.Counter(c for text in TEXTS for c in text).most_common(400)}
COMMON_TEXTS = [text for text in TEXTS if set(text) <= COMMON]

# What spiece.model says of characters, in few: those of XLM-RoBERTa have 240 KB.
CHARSMAP = {"\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\r": " ", "\uff21": "A", "\uff22": "B",
            "\ufb01": "fi", "e\u0301": "\u00e9", "\u200b": "", "\u2026": "...", "\ufdfa": "\u0635\u0644\u0649"}


def word_piece(path, special):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=700, limit_alphabet=250, special_tokens=special,
                                        show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    # Upper case too, for those that keep it.
    vocabulary = [piece for piece, _ in sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])]
    vocabulary += [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00e9\u00fc\u00dc" if c not in vocabulary]
    path.write_text("\n".join(vocabulary) + "\n", encoding="utf-8")


def byte_level(path, special):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=800, special_tokens=special, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.model.save(str(path))


def sentence_piece(path, vocab_size, **arguments):
    with tempfile.TemporaryDirectory() as directory:
        rules = pathlib.Path(directory) / "rules.tsv"
        rules.write_text("".join(
            " ".join(f"{ord(c):x}" for c in source) + "\t" + " ".join(f"{ord(c):x}" for c in target) + "\n"
            for source, target in CHARSMAP.items()))
        if arguments.pop("own_charsmap", False):
            arguments["normalization_rule_tsv"] = str(rules)
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(COMMON_TEXTS), model_prefix=f"{directory}/model", vocab_size=vocab_size,
            character_coverage=0.99, num_threads=1, minloglevel=2, hard_vocab_limit=False, **arguments)
        path.write_bytes(pathlib.Path(f"{directory}/model.model").read_bytes())


def make(name, maker, *arguments, **named):
    path = OUT / name
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    maker(path, *arguments, **named)


def main():
    bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    make("bert/vocab.txt", word_piece, bert)
    make("mpnet/vocab.txt", word_piece, ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"])
    if not (OUT / "roberta/vocab.json").exists():
        (OUT / "roberta").mkdir(parents=True, exist_ok=True)
        byte_level(OUT / "roberta", ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"])
    make("xlm-roberta/sentencepiece.bpe.model", sentence_piece, 1200, model_type="unigram", own_charsmap=True)
    make("camembert/sentencepiece.bpe.model", lambda path: shutil.copy(OUT / "xlm-roberta" / path.name, path))
    make("albert/spiece.model", sentence_piece, 900, model_type="unigram", own_charsmap=True,
         pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols="[CLS],[SEP],[MASK]",
         user_defined_symbols="(,),-,\u00a3")
    make("t5/spiece.model", sentence_piece, 900, model_type="unigram", own_charsmap=True, pad_id=0,
         eos_id=1, unk_id=2, bos_id=-1)
    make("deberta-v2/spm.model", sentence_piece, 900, model_type="unigram", pad_id=0, pad_piece="[PAD]",
         bos_id=1, bos_piece="[CLS]", eos_id=2, eos_piece="[SEP]", unk_id=3, unk_piece="[UNK]",
         normalization_rule_name="identity")
    make("llama/tokenizer.model", sentence_piece, 900, model_type="bpe", byte_fallback=True,
         split_digits=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
         allow_whitespace_only_pieces=True)
    make("gemma/tokenizer.model", sentence_piece, 900, model_type="bpe", byte_fallback=True, pad_id=0,
         eos_id=1, eos_piece="<eos>", bos_id=2, bos_piece="<bos>", unk_id=3, split_digits=True,
         normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False,
         allow_whitespace_only_pieces=True,
         user_defined_symbols="<mask>,<start_of_turn>,<end_of_turn>,\n,\n\n,\u2581\u2581,\u2581\u2581\u2581")


if __name__ == "__main__":
    main()
