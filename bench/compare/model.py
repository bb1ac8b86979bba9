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
    """`longest` is in tokens, special tokens included; `pooling` is "cls", "mean" or "lasttoken"."""

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

        For bge-m3: 0.604e9 a token for the matrix products, 98,304 x length^2 for attention. A window's
        keys are counted, and of causal attention half.
        """
        config = self.config
        hidden, layers, heads = (config[name] for name in
                                 ("hidden_size", "num_hidden_layers", "num_attention_heads"))
        width = heads * config.get("head_dim", hidden // heads)
        kv_width = width * config.get("num_key_value_heads", heads) // heads
        gated = config["model_type"] in ("modernbert", "nomic_bert", "qwen3")
        weights = layers * hidden * (2 * width + 2 * kv_width + (3 if gated else 2) * config["intermediate_size"])
        window = config.get("local_attention", config.get("sliding_window"))
        windows = [window if kind == "sliding_attention" else None
                   for kind in config.get("layer_types") or [None] * layers]
        causal = 0.5 if config["model_type"] == "qwen3" else 1
        keys = lambda n: sum(n if window is None else min(n, window) for window in windows) * causal
        return sum(2 * weights * n + 4 * width * n * keys(n) for n in lengths)


def read_model(directory):
    directory = pathlib.Path(directory).resolve()
    config = json.loads((directory / "config.json").read_text())
    pooling = json.loads((directory / "1_Pooling/config.json").read_text())
    longest = json.loads((directory / "sentence_bert_config.json").read_text())["max_seq_length"]
    kinds = {"cls_token": "cls", "mean_tokens": "mean", "lasttoken": "lasttoken"}
    chosen = [kind for mode, kind in kinds.items() if pooling.get(f"pooling_mode_{mode}")]
    if len(chosen) != 1:
        raise ValueError(f"{directory}: not one of {', '.join(kinds.values())} pooling")
    return Model(directory, config, longest, chosen[0])


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
