"""Decoders: causal attention, fewer heads of keys than of queries, RMSNorm, SwiGLU."""

from transformers import (LlamaConfig, LlamaModel, MistralConfig, MistralModel, Qwen2Config,
                          Qwen2Model, Qwen3Config, Qwen3Model)

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


def qwen2():
    """As KaLM's are, and with windows from the second layer on, as a config may have them."""
    config = Qwen2Config(vocab_size=603, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
                         num_key_value_heads=2, intermediate_size=64, max_position_embeddings=256,
                         use_sliding_window=True, sliding_window=16, max_window_layers=1,
                         rope_parameters={"rope_type": "default", "rope_theta": 1000.0})
    dense("qwen2", randomize(Qwen2Model(config), "qwen2"), "qwen3", limit=128)


def llama():
    """Llama 3.1's scaling of slow rotations, and biases, as a config may have them."""
    config = LlamaConfig(vocab_size=605, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=1, intermediate_size=56, max_position_embeddings=256,
                         rms_norm_eps=1e-5, attention_bias=True, mlp_bias=True, bos_token_id=601, eos_token_id=602,
                         rope_parameters={"rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0,
                                          "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                          "original_max_position_embeddings": 64})
    dense("llama", randomize(LlamaModel(config), "llama"), "llama3", pooling="weightedmean", limit=128)


def mistral():
    """As e5-mistral is: the last token's vector, and a window that looks back."""
    config = MistralConfig(vocab_size=700, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                           num_key_value_heads=2, head_dim=12, intermediate_size=56, max_position_embeddings=256,
                           sliding_window=16, rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
    model = randomize(MistralModel(config), "mistral")
    dense("mistral", model, "llama2", pooling="lasttoken", limit=128,
          prompts={"web_search_query": "Instruct: Given a web search query, retrieve relevant passages that answer "
                                       "the query\nQuery: "})
    dense("mistral_legacy", model.float(), "llama2_legacy", pooling="lasttoken", limit=128)


MAKE = [qwen3, qwen2, llama, mistral]
