#!/usr/bin/env python3
"""Writes expected/rope.json: the frequencies that transformers computes from what configs say of rotary positions.

Each case is the fields of a config.json, in the form of transformers 5 or of before; "layer_type" where each type of
layers has its own. Needs torch and transformers.
"""

import json
from pathlib import Path

from transformers import LlamaConfig, ModernBertConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.modernbert.modeling_modernbert import ModernBertRotaryEmbedding

HEAD_DIM = 64
# Of one type of layers: fields beside the sizes.
CASES = [
    {},
    {"rope_theta": 500000.0},
    {"rope_theta": 1000, "rope_scaling": None},
    {"rope_parameters": {"rope_type": "default", "rope_theta": 250000.0}},
    {"rope_theta": 20000.0, "rope_scaling": {"type": "linear", "factor": 4.0}},
    {"rope_parameters": {"rope_type": "linear", "rope_theta": 20000.0, "factor": 2.5}},
    {"rope_parameters": {"rope_type": "linear", "factor": 2, "partial_rotary_factor": 0.5}},
    {"rope_theta": 500000.0, "rope_scaling": {
        "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192}},
    {"rope_parameters": {
        "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 2.0, "high_freq_factor": 16.0}},
    {"rope_theta": 1000000, "rope_scaling": {
        "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}},
    {"rope_parameters": {
        "rope_type": "yarn", "rope_theta": 10000.0, "factor": 40, "original_max_position_embeddings": 4096,
        "beta_fast": 24, "beta_slow": 2, "mscale": 1.0, "mscale_all_dim": 0.707}},
    {"rope_parameters": {
        "rope_type": "yarn", "rope_theta": 150000, "factor": 32.0, "original_max_position_embeddings": 4096,
        "truncate": False, "attention_factor": 1.25}},
]
OF_TYPES = [
    {},
    {"global_rope_theta": 80000.0, "local_rope_theta": 1000.0},
    {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 160000.0},
                         "sliding_attention": {"rope_type": "default", "rope_theta": 50.0}}},
    {"rope_parameters": {"full_attention": {"rope_type": "linear", "rope_theta": 90000.0, "factor": 3.0}}},
]


def main():
    cases = []
    for fields in CASES:
        # The classes fill in what is theirs.
        rope = LlamaRotaryEmbedding(LlamaConfig(hidden_size=2 * HEAD_DIM, num_attention_heads=2,
                                                max_position_embeddings=131072, **json.loads(json.dumps(fields))))
        cases.append({"config": {"max_position_embeddings": 131072} | fields, "factor": float(rope.attention_scaling),
                      "frequencies": rope.inv_freq.tolist()})
    for fields in OF_TYPES:
        rope = ModernBertRotaryEmbedding(ModernBertConfig(hidden_size=2 * HEAD_DIM, num_attention_heads=2,
                                                          **json.loads(json.dumps(fields))))
        for kind in ("full_attention", "sliding_attention"):
            cases.append({"config": {"max_position_embeddings": 8192} | fields, "layer_type": kind,
                          "factor": float(getattr(rope, f"{kind}_attention_scaling")),
                          "frequencies": getattr(rope, f"{kind}_inv_freq").tolist()})
    path = Path(__file__).parent / "expected/rope.json"
    path.write_text(json.dumps({"head_dim": HEAD_DIM, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
