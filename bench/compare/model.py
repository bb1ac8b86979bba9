"""The model under test: its directory, its sizes, and what a text of it costs to compute."""

import dataclasses
import json
import pathlib

import numpy as np
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/compare"  # everything that is built, converted or logged; git ignores it


@dataclasses.dataclass(frozen=True)
class Model:
    """`longest` is in tokens, special tokens included; `pooling` is "cls" or "mean"."""

    directory: pathlib.Path
    config: dict
    longest: int
    pooling: str

    @property
    def cache(self):
        """Where this model's conversions lie."""
        return WORK / "models" / self.directory.name

    def operations(self, lengths):
        """Multiplications and additions of one request: `lengths` are tokens of each text.

        For bge-m3: 0.604e9 a token for the matrix products, 98,304 x length^2 for attention.
        """
        hidden, layers = self.config["hidden_size"], self.config["num_hidden_layers"]
        weights = layers * (4 * hidden**2 + 2 * hidden * self.config["intermediate_size"])
        return sum(2 * weights * n + 4 * hidden * layers * n * n for n in lengths)


def read_model(directory):
    directory = pathlib.Path(directory).resolve()
    config = json.loads((directory / "config.json").read_text())
    pooling = json.loads((directory / "1_Pooling/config.json").read_text())
    longest = json.loads((directory / "sentence_bert_config.json").read_text())["max_seq_length"]
    if pooling["pooling_mode_cls_token"] == pooling["pooling_mode_mean_tokens"]:
        raise ValueError(f"{directory}: neither cls nor mean pooling")
    kind = "cls" if pooling["pooling_mode_cls_token"] else "mean"
    return Model(directory, config, longest, kind)


def padding_tokenizer(model):
    """Cuts at the model's length and pads a batch to its longest text."""
    tokenizer = Tokenizer.from_file(str(model.directory / "tokenizer.json"))
    pad = model.config["pad_token_id"]
    tokenizer.enable_truncation(model.longest)
    tokenizer.enable_padding(pad_id=pad, pad_token=tokenizer.id_to_token(pad))
    return tokenizer


def inputs_of(tokenizer, texts):
    """Ids and attention mask of a padded batch, both int64 [texts, tokens]."""
    encodings = tokenizer.encode_batch(texts)
    return {
        "input_ids": np.array([e.ids for e in encodings], np.int64),
        "attention_mask": np.array([e.attention_mask for e in encodings], np.int64),
    }
