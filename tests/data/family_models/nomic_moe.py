"""nomic-embed-text-v2-moe's kind, of which transformers has no class: every second layer has experts.

The forward pass here is written from the model's definition: a post-norm encoder with rotary positions and biases.
In layers 1, 3, ... a router without bias gives each token a softmax over the experts; the best two are summed with
their shares of it, which are not divided by their sum, and one bias for all is added.
"""

import pathlib
import tempfile

import torch
from torch.nn.functional import gelu, layer_norm, linear
from transformers import AutoTokenizer

from .hub import SPECIAL, nomic_config, write
from .layout import TEXTS, complete, numbers, write_references
from .weights import randomize_tensors

HIDDEN, HEADS, INNER, LAYERS, EXPERTS, LIMIT = 32, 4, 40, 4, 4, 96


def tensors():
    result = {}

    def add(key, shape, deviation, mean=0.0):
        result[key] = (randomize_tensors(f"nomic_moe.{key}", {"x": shape}, deviation)["x"] + mean).half()

    def product(key, rows, columns, gain):
        add(f"{key}.weight", (rows, columns), gain / columns ** 0.5)
        add(f"{key}.bias", (rows,), 0.3)

    def norm(key):
        add(f"{key}.weight", (HIDDEN,), 0.25, 1.0)
        add(f"{key}.bias", (HIDDEN,), 0.3)

    add("embeddings.word_embeddings.weight", (642, HIDDEN), 1.0)
    add("embeddings.token_type_embeddings.weight", (1, HIDDEN), 1.0)
    norm("emb_ln")
    for i in range(LAYERS):
        layer = f"encoder.layers.{i}"
        product(f"{layer}.attn.Wqkv", 3 * HIDDEN, HIDDEN, 1.2)
        product(f"{layer}.attn.out_proj", HIDDEN, HIDDEN, 1.0)
        norm(f"{layer}.norm1")
        norm(f"{layer}.norm2")
        if i % 2 == 0:
            product(f"{layer}.mlp.fc1", INNER, HIDDEN, 1.5)
            product(f"{layer}.mlp.fc2", HIDDEN, INNER, 1.0)
            continue
        add(f"{layer}.mlp.router.layer.weight", (EXPERTS, HIDDEN), 1.5 / HIDDEN ** 0.5)
        add(f"{layer}.mlp.experts.mlp.w1", (EXPERTS * INNER, HIDDEN), 1.5 / HIDDEN ** 0.5)
        add(f"{layer}.mlp.experts.mlp.w2", (EXPERTS * INNER, HIDDEN), 1.5 / INNER ** 0.5)
        add(f"{layer}.mlp.experts.bias", (HIDDEN,), 0.3)
    return result


def rotated(x, base):
    """x: [tokens, heads, head_dim]."""
    half = x.shape[-1] // 2
    angles = torch.arange(x.shape[0]).float()[:, None] / base ** (torch.arange(half).float() / half)
    cosine, sine = angles.cos()[:, None], angles.sin()[:, None]
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)


def feed_forward(weights, layer, x):
    if f"{layer}.mlp.fc1.weight" in weights:
        inner = gelu(linear(x, weights[f"{layer}.mlp.fc1.weight"], weights[f"{layer}.mlp.fc1.bias"]))
        return linear(inner, weights[f"{layer}.mlp.fc2.weight"], weights[f"{layer}.mlp.fc2.bias"])
    shares = linear(x, weights[f"{layer}.mlp.router.layer.weight"]).softmax(-1)
    first = weights[f"{layer}.mlp.experts.mlp.w1"].view(EXPERTS, INNER, HIDDEN)
    second = weights[f"{layer}.mlp.experts.mlp.w2"].view(EXPERTS, INNER, HIDDEN)
    output = weights[f"{layer}.mlp.experts.bias"].repeat(len(x), 1)
    for token, row in enumerate(shares):
        for expert in row.topk(2).indices.tolist():
            output[token] += row[expert] * (gelu(first[expert] @ x[token]) @ second[expert])
    return output


def token_vectors(weights, ids, base):
    def normed(x, name):
        return layer_norm(x, (HIDDEN,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-5)

    x = weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.token_type_embeddings.weight"][0]
    x = normed(x, "emb_ln")
    for i in range(LAYERS):
        layer = f"encoder.layers.{i}"
        packed = linear(x, weights[f"{layer}.attn.Wqkv.weight"], weights[f"{layer}.attn.Wqkv.bias"])
        query, key, value = packed.view(len(ids), 3, HEADS, HIDDEN // HEADS).unbind(1)
        query, key = rotated(query, base), rotated(key, base)
        scores = torch.einsum("qhd,khd->hqk", query, key) / (HIDDEN // HEADS) ** 0.5
        mixed = torch.einsum("hqk,khd->qhd", scores.softmax(-1), value).reshape(len(ids), HIDDEN)
        out = linear(mixed, weights[f"{layer}.attn.out_proj.weight"], weights[f"{layer}.attn.out_proj.bias"])
        x = normed(x + out, f"{layer}.norm1")
        x = normed(x + feed_forward(weights, layer, x), f"{layer}.norm2")
    return x


def nomic_moe():
    prompts = {"query": "search_query: ", "passage": "search_document: "}
    weights = tensors()
    config = nomic_config(
        activation_function="gelu", expert_choice_router=False, ffn_div=1, layer_norm_epsilon=1e-05,
        max_trained_positions=2048, mlp_fc1_bias=True, mlp_fc2_bias=True, moe_every_n_layers=2, moe_impl="megablocks",
        moe_normalize_expert_weights=False, moe_resid_pdrop=0.0, moe_top_k=2, n_head=HEADS, n_inner=INNER,
        n_layer=LAYERS, num_experts=EXPERTS, num_shared_experts=0, pad_token_id=1, qkv_proj_bias=True,
        rotary_emb_base=10000.0, tokenizer_class="XLMRobertaTokenizer", type_vocab_size=1, use_rms_norm=None,
        vocab_size=642)
    directory = write("nomic_moe", "xlm_roberta", config, weights, pooling="mean", prompts=prompts,
                      tokenizer_class="XLMRobertaTokenizer", more=SPECIAL | {"model_max_length": 512})
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(directory, "xlm_roberta", pathlib.Path(temporary) / "model")
        tokenizer = AutoTokenizer.from_pretrained(path)
    weights = {key: tensor.float() for key, tensor in weights.items()}

    def rows(texts, prompt=""):
        for text in texts:
            ids = tokenizer(prompt + text, truncation=True, max_length=LIMIT)["input_ids"]
            yield {"ids": ids, "vector": numbers(token_vectors(weights, torch.tensor(ids), 10000.0).mean(0).tolist())}

    write_references(directory, "xlm_roberta", [
        {"output": "dense", "rows": list(rows(TEXTS))},
        *({"output": "dense", "prompt_name": name, "rows": list(rows(TEXTS[:6], prompt))}
          for name, prompt in prompts.items())])


MAKE = [nomic_moe]
