"""Gemma 3 as a decoder, EmbeddingGemma, which looks both ways, and EmbeddingGemma 2."""

import json
import shutil

import torch
from sentence_transformers.base.modules.dense import Dense
from torch import nn
from transformers import EmbeddingGemma2Config, EmbeddingGemma2Model, Gemma3TextConfig, Gemma3TextModel
from transformers.models.embedding_gemma2 import EmbeddingGemma2TextConfig, EmbeddingGemma2TextModel

from .hub import like
from .layout import FAMILIES, dense
from .weights import randomize

# Norms multiply by 1 + weight.
ONE_ADDED = {"norm_mean": 0.0}


def config(**more):
    return Gemma3TextConfig(**({
        "vocab_size": 720, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 1, "head_dim": 12, "intermediate_size": 48, "max_position_embeddings": 256,
        "query_pre_attn_scalar": 20, "sliding_window": 9, "sliding_window_pattern": 3,
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1000000.0},
                            "sliding_attention": {"rope_type": "default", "rope_theta": 100.0}}} | more))


def gemma3():
    model = randomize(Gemma3TextModel(config(sliding_window=8)), "gemma3", embedding=0.2, **ONE_ADDED)
    dense("gemma3", model, "gemma", pooling="lasttoken", limit=128)


def embedding_gemma():
    model = randomize(Gemma3TextModel(config(use_bidirectional_attention=True)), "embedding_gemma", embedding=0.2,
                      **ONE_ADDED)
    after = [randomize(Dense(32, 64, bias=False, activation_function=nn.Identity()), "embedding_gemma.2").float(),
             randomize(Dense(64, 32, bias=False, activation_function=nn.Identity()), "embedding_gemma.3").float()]
    dense("embedding_gemma", model, "gemma", after=after, limit=128, similarity="cosine", matryoshka=[16],
          prompts={"query": "task: search result | query: ", "document": "title: none | text: ",
                   "STS": "task: sentence similarity | query: "})


def embedding_gemma2():
    """Wider heads in layers that see all, values that are normed, a third branch that a projection of the
    embeddings gates, and a product at the end."""
    text = EmbeddingGemma2TextConfig(
        vocab_size=720, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        intermediate_size=40, max_position_embeddings=256, sliding_window=4, sliding_window_pattern=3,
        hidden_size_per_layer_input=12, embedding_dim=24, global_head_dim=16, num_global_key_value_heads=1,
        rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 1000000.0},
                         "sliding_attention": {"rope_type": "default", "rope_theta": 100.0}})
    model = randomize(EmbeddingGemma2TextModel(text), "embedding_gemma2", embedding=0.5).float()
    for i, layer in enumerate(model.layers):
        # Scores are not divided by the root of the heads' width.
        layer.self_attn.q_norm.weight.data.mul_(0.5)
        layer.layer_scalar.fill_((0.75, 1.25, 0.875)[i])
    directory = dense("embedding_gemma2_text", model.half(), "gemma", limit=128, dimension=24)
    # The same as the part of a model that takes images and sounds too.
    whole = EmbeddingGemma2Model(EmbeddingGemma2Config(text_config=text))
    whole.language_model.load_state_dict(model.state_dict())
    target = FAMILIES / "embedding_gemma2"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(directory, target)
    whole.half().save_pretrained(target)
    (target / "model.safetensors").chmod(0o644)
    like(target, "gemma", "embedding_gemma2_text", check=False)
    row = json.loads((directory / "references.json").read_text())["series"][0]["rows"][4]
    vectors = EmbeddingGemma2Model.from_pretrained(target, dtype=torch.float32)(torch.tensor([row["ids"]]))
    assert (vectors.last_hidden_state[0].mean(0) - torch.tensor(row["vector"])).abs().max() < 1e-5


MAKE = [gemma3, embedding_gemma, embedding_gemma2]
