"""Encoders with rotary positions."""

from transformers import ModernBertConfig, ModernBertModel

from .layout import dense
from .weights import randomize


def modernbert_config(**more):
    # A token of a local layer sees 4 on each side; layers 0 and 3 see all.
    return ModernBertConfig(**({
        "vocab_size": 594, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4,
        "intermediate_size": 48, "max_position_embeddings": 256, "local_attention": 8,
        "global_attn_every_n_layers": 3, "pad_token_id": 590, "bos_token_id": 588, "eos_token_id": 589,
        "cls_token_id": 588, "sep_token_id": 589,
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 160000.0},
                            "sliding_attention": {"rope_type": "default", "rope_theta": 50.0}}} | more))


def modernbert():
    model = randomize(ModernBertModel(modernbert_config()), "modernbert")
    dense("modernbert", model, "modernbert", pooling="cls", limit=128)


def modernbert_mean():
    """Biases everywhere, as a config may have them, and the mean."""
    config = modernbert_config(norm_bias=True, attention_bias=True, mlp_bias=True, num_hidden_layers=3,
                               global_attn_every_n_layers=2)
    dense("modernbert_mean", randomize(ModernBertModel(config), "modernbert_mean"), "modernbert", limit=128,
          prompts={"query": "query: ", "passage": "passage: "}, default_prompt="passage")


MAKE = [modernbert, modernbert_mean]
