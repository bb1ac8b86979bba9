"""Configs as files of before transformers 5 have them: rope_theta and rope_scaling beside the other fields, no
layer_types, no field that has its default. The numbers stay, which is checked here by transformers' reading of them.
"""

import json
import pathlib
import shutil
import tempfile

import torch

from .heads import logit_rows
from .layout import F32, FAMILIES, PAIRS, TEXTS, CrossEncoder, SentenceTransformer, complete, dense_rows, write_json

# Beside what is not in a file of old, since it has its default.
DEFAULTS = {"attention_probs_dropout_prob", "classifier_dropout", "add_cross_attention", "is_decoder", "dtype",
            "initializer_range", "tie_word_embeddings", "transformers_version", "rope_parameters", "layer_types",
            "legacy", "bos_token_id", "eos_token_id", "attention_dropout", "use_cache", "hidden_dropout_prob"}


def old(base, fields, removed=()):
    references = json.loads((FAMILIES / base / "references.json").read_text())
    config = json.loads((FAMILIES / base / "config.json").read_text())
    config = {key: value for key, value in config.items() if key not in DEFAULTS | set(removed)} | {
        "torch_dtype": "float16", "transformers_version": "4.40.0"} | fields
    directory = FAMILIES / f"{base}_old_config"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    write_json(directory / "config.json", config, indent=2)
    write_json(directory / "references.json", {"tokenizer": references["tokenizer"], "base": base, "like": base})
    series = references["series"][0]
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(FAMILIES / base, references["tokenizer"], pathlib.Path(temporary) / "model")
        shutil.copy(directory / "config.json", path)
        if series["output"] == "logits":
            rows = logit_rows(CrossEncoder(str(path), model_kwargs=F32, device="cpu"), PAIRS)
        else:
            loaded = SentenceTransformer(str(path), model_kwargs=F32, device="cpu")
            rows = dense_rows(loaded, TEXTS, loaded.prompts.get(loaded.default_prompt_name))
    for row, expected in zip(rows, series["rows"]):
        assert row["ids"] == expected["ids"]
        assert torch.allclose(torch.tensor(row["vector"]), torch.tensor(expected["vector"]), atol=1e-6), base


def rope_of(base):
    return json.loads((FAMILIES / base / "config.json").read_text())["rope_parameters"]


def old_configs():
    for base in ("qwen3", "mistral", "eurobert"):
        old(base, {"rope_theta": rope_of(base)["rope_theta"], "rope_scaling": None})
    llama = rope_of("llama")
    old("llama", {"rope_theta": llama.pop("rope_theta"), "rope_scaling": llama})
    rope = rope_of("modernbert")
    old("modernbert", {"global_rope_theta": rope["full_attention"]["rope_theta"],
                       "local_rope_theta": rope["sliding_attention"]["rope_theta"]},
        ("mlp_bias", "norm_bias", "attention_bias", "norm_eps", "classifier_pooling", "sparse_prediction"))
    rope = rope_of("embedding_gemma")
    old("embedding_gemma", {"rope_theta": rope["full_attention"]["rope_theta"], "rope_scaling": None,
                            "rope_local_base_freq": rope["sliding_attention"]["rope_theta"],
                            "sliding_window_pattern": 3}, ("_sliding_window_pattern",))
    old("distilbert", {"tie_weights_": True}, ("sinusoidal_pos_embds", "pad_token_id", "seq_classif_dropout",
                                               "qa_dropout", "dropout", "activation"))
    old("mpnet", {}, ("relative_attention_num_buckets", "layer_norm_eps", "hidden_act"))
    old("t5_relu", {}, ("feed_forward_proj", "dense_act_fn", "is_gated_act", "layer_norm_epsilon",
                        "scale_decoder_outputs", "num_decoder_layers"))
    old("ce_deberta_v3", {"pos_att_type": "p2c|c2p"}, ("pooler_hidden_act", "hidden_act"))


MAKE = [old_configs]
