"""Decoders: causal attention, fewer heads of keys than of queries, RMSNorm, SwiGLU."""

from transformers import Qwen3Config, Qwen3Model

from .layout import dense
from .weights import randomize

INSTRUCTION = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"


def qwen3():
    config = Qwen3Config(vocab_size=603, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
                         num_key_value_heads=2, head_dim=16, intermediate_size=64,
                         max_position_embeddings=256, tie_word_embeddings=True,
                         rope_parameters={"rope_type": "default", "rope_theta": 1000.0})
    dense("qwen3", randomize(Qwen3Model(config), "qwen3"), "qwen3", pooling="lasttoken", limit=128,
          prompts={"query": INSTRUCTION, "document": ""}, similarity="cosine")


MAKE = [qwen3]
