"""Small tokenizers of each kind, trained once over texts in many scripts.

Each is made by transformers' own class from a trained vocabulary and saved as that class saves it.
Training numbers pieces by chance, so a tokenizer that is there stays.
"""

import collections
import json
import pathlib
import tempfile

import sentencepiece
import transformers
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel

from . import charsmap
from .texts import PAIRS, TEXTS

DATA = pathlib.Path(__file__).resolve().parents[1]
FOLDER = DATA / "families" / "tokenizers"


def corpus():
    lines = (DATA / "expected/tokens.bge-m3.jsonl").read_text().splitlines()[:1300]
    texts = [json.loads(line)["text"] for line in lines]
    return [*texts, *TEXTS, *(text for pair in PAIRS for text in pair)] + TEXTS[2:12] * 5


def common(texts, characters=260):
    """The texts without the characters that are not among the most frequent."""
    kept = {character for character, _ in collections.Counter("".join(texts)).most_common(characters)}
    return ["".join(character for character in text if character in kept) for text in texts]


def train(tokenizer, trainer):
    tokenizer.train_from_iterator(corpus(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model.get("merges", [])]


def byte_level(special, pre_tokenizer, normalizer=None, size=640):
    """Vocabulary and merges of a byte-level BPE; the special tokens come first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    return train(tokenizer, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=ByteLevel.alphabet(),
        show_progress=False))


def word_piece(special, unknown="[UNK]", size=640):
    tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    vocab, _ = train(tokenizer, trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=special, limit_alphabet=240, show_progress=False))
    return vocab


def sentence_piece(directory, name, rules=True, **options):
    """Trains a SentencePiece model into directory/name, where transformers' class finds it."""
    path = pathlib.Path(directory)
    if rules:
        charsmap.write(path / "rules.tsv")
        options["normalization_rule_tsv"] = str(path / "rules.tsv")
    else:
        options["normalization_rule_name"] = "identity"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(common(corpus())), model_prefix=str(path / "trained"), num_threads=1,
        hard_vocab_limit=False, minloglevel=2, **({"vocab_size": 640, "character_coverage": 1.0} | options))
    (path / "trained.model").rename(path / name)
    (path / "trained.vocab").unlink()
    if rules:
        (path / "rules.tsv").unlink()


def from_sentence_piece(make, name, rules=True, special=None, **options):
    with tempfile.TemporaryDirectory() as directory:
        sentence_piece(directory, name, rules, **options)
        tokenizer = make.from_pretrained(directory, **(special or {}))
        model = (pathlib.Path(directory) / name).read_bytes()
    return tokenizer, {name: model}


def split_by(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(pattern, behavior="isolated"),
        ByteLevel(add_prefix_space=False, use_regex=False)])


def bert():
    vocab = word_piece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return transformers.BertTokenizer(vocab=vocab), {}


def mpnet():
    vocab = word_piece(["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"])
    return transformers.MPNetTokenizer(vocab=vocab), {}


def roberta():
    vocab, merges = byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], ByteLevel(add_prefix_space=False))
    return transformers.RobertaTokenizer(vocab=vocab, merges=merges), {}


def modernbert():
    """GPT-NeoX's byte-level BPE with BERT's special tokens after it and runs of spaces as added tokens."""
    special = ["<|endoftext|>", "<|padding|>"]
    vocab, merges = byte_level(special, ByteLevel(add_prefix_space=False), normalizers.NFC(), size=580)
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens([AddedToken(" " * count, normalized=False) for count in range(8, 1, -1)])
    tokenizer.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]"])
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True)])
    tokenizer.add_tokens([AddedToken(f"[unused{i}]", normalized=False) for i in range(2)])
    ids = {token: tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]")}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0",
        special_tokens=list(ids.items()))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        pad_token="[PAD]", mask_token="[MASK]", model_max_length=8192,
        model_input_names=["input_ids", "attention_mask"]), {}


QWEN_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
              r"\s*[\r\n]+|\s+(?!\S)|\s+")


def qwen3():
    """Qwen3-Embedding's: Qwen2's BPE, and a template that puts <|endoftext|> after the text."""
    vocab, merges = byte_level([], split_by(Regex(QWEN_SPLIT)), normalizers.NFC(), size=600)
    tokenizer = transformers.Qwen2Tokenizer(
        vocab=vocab, merges=merges, pad_token="<|endoftext|>", eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"])
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <|endoftext|>", pair="$A $B:1 <|endoftext|>:1", special_tokens=[("<|endoftext|>", end)])
    return tokenizer, {}


def t5():
    return from_sentence_piece(transformers.T5Tokenizer, "spiece.model", special={"extra_ids": 10},
                               model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)


def xlm_roberta():
    return from_sentence_piece(transformers.XLMRobertaTokenizer, "sentencepiece.bpe.model",
                               model_type="unigram")


def albert():
    return from_sentence_piece(transformers.AlbertTokenizer, "spiece.model", model_type="unigram", pad_id=0,
                               unk_id=1, bos_id=-1, eos_id=-1,
                               control_symbols=["[CLS]", "[SEP]", "[MASK]"])


def camembert():
    return from_sentence_piece(transformers.CamembertTokenizer, "sentencepiece.bpe.model", model_type="unigram")


def deberta_v2():
    return from_sentence_piece(transformers.DebertaV2Tokenizer, "spm.model", model_type="unigram", pad_id=0,
                               bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]",
                               eos_piece="[SEP]", unk_piece="[UNK]")


def llama2():
    """Llama 2's and Mistral's SentencePiece BPE, with a template that puts </s> after the text."""
    tokenizer, files = from_sentence_piece(
        transformers.LlamaTokenizer, "tokenizer.model", rules=False, model_type="bpe", byte_fallback=True,
        vocab_size=700, split_digits=True, remove_extra_whitespaces=False)
    tokenizer.backend_tokenizer.post_processor = around("<s>", "</s>", tokenizer)
    tokenizer.pad_token = "</s>"
    return tokenizer, files


def llama2_legacy():
    """The same vocabulary as files of old have it, read as it stands: a normalizer puts "▁" before the text."""
    vocabulary = json.loads((directory_of("llama2") / "tokenizer.json").read_text())
    vocabulary["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    vocabulary["pre_tokenizer"] = None
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(vocabulary)), unk_token="<unk>", bos_token="<s>",
        eos_token="</s>", pad_token="</s>", model_input_names=["input_ids", "attention_mask"]), {}


def gemma():
    tokenizer, files = from_sentence_piece(
        transformers.GemmaTokenizer, "tokenizer.model", rules=False, model_type="bpe", byte_fallback=True,
        vocab_size=720, split_digits=True, remove_extra_whitespaces=False, add_dummy_prefix=False, pad_id=0,
        eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>",
        user_defined_symbols=["<mask>", "<start_of_turn>", "<end_of_turn>", "\n", "\n\n", "  ", "   "])
    tokenizer.backend_tokenizer.post_processor = around("<bos>", "<eos>", tokenizer)
    return tokenizer, files


LLAMA3_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
                r"\s*[\r\n]+|\s+(?!\S)|\s+")


def llama3():
    """Llama 3's byte-level BPE, which takes a word that the vocabulary has without merging."""
    vocab, merges = byte_level([], split_by(Regex(LLAMA3_SPLIT)), size=600)
    # A word that no merges make.
    vocab["wisdom"] = len(vocab)
    tokenizer = Tokenizer(models.BPE(vocab, merges, ignore_merges=True))
    tokenizer.pre_tokenizer = split_by(Regex(LLAMA3_SPLIT))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|mask|>", "<|reserved_special_token_0|>"])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False), around("<|begin_of_text|>", "<|end_of_text|>", tokenizer)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|begin_of_text|>", eos_token="<|end_of_text|>",
        pad_token="<|end_of_text|>", mask_token="<|mask|>", model_input_names=["input_ids", "attention_mask"]), {}


def around(first, last, tokenizer):
    """A template that puts one token before a text, or the pair, and one after it."""
    to_id = getattr(tokenizer, "token_to_id", None) or tokenizer.convert_tokens_to_ids
    return processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} {first}:1 $B:1 {last}:1",
        special_tokens=[(token, to_id(token)) for token in (first, last)])


KINDS = {make.__name__: make for make in (bert, mpnet, roberta, modernbert, qwen3, t5, xlm_roberta,
                                       albert, camembert, deberta_v2, llama2, llama2_legacy, llama3, gemma)}


def without_places(path):
    """A tokenizer_config.json that does not tell where it was made."""
    fields = json.loads(path.read_text())
    for name in ("vocab_file", "is_local", "local_files_only", "name_or_path"):
        fields.pop(name, None)
    path.write_text(json.dumps(fields, indent=2, ensure_ascii=False) + "\n")


def directory_of(kind):
    """The folder with the kind's tokenizer.json and tokenizer_config.json, made if it is not there."""
    folder = FOLDER / kind
    if not (folder / "tokenizer.json").exists():
        tokenizer, others = KINDS[kind]()
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save_pretrained(folder)
        for name, content in others.items():
            (folder / name).write_bytes(content)
        without_places(folder / "tokenizer_config.json")
    return folder
