"""Whether a model's numbers depend on what they should: each tensor, each field of the config.

    python -m family_models.checks [NAME...]      (in tests/data)

A model whose norm's bias, say, is lost must give numbers that differ by far more than the tests allow. Prints the
largest difference of a vector's components, or of logits, when a tensor is zeroed (a norm's weights made 1) or a field
of the config is another; what changes less than 1e-3 is marked. And how near bfloat16 and int8 come.
"""

import json
import pathlib
import sys
import tempfile

import torch

from .layout import FAMILIES, F32, CrossEncoder, SentenceTransformer, complete
from .texts import PAIRS, TEXTS

# Another value for each field that says how something is computed.
FIELDS = {"local_attention": 16, "sliding_window": 3, "query_pre_attn_scalar": 40, "position_buckets": 6,
          "max_relative_positions": 8, "relative_attention_max_distance": 20, "use_bidirectional_attention": None,
          "hidden_act": "tanh", "hidden_activation": "tanh", "feed_forward_proj": "gated-silu", "rms_norm_eps": 0.1,
          "layer_norm_eps": 0.1, "layer_norm_epsilon": 0.1, "norm_eps": 0.1, "classifier_pooling": None,
          "pos_att_type": ["c2p"], "norm_rel_ebd": "none", "num_key_value_heads": None}


@torch.no_grad()
def numbers(model):
    if isinstance(model, CrossEncoder):
        return torch.cat([model.predict([pair], activation_fn=torch.nn.Identity(), convert_to_tensor=True).reshape(1, -1)
                          for pair in PAIRS[:15]]).float()
    return torch.nn.functional.normalize(torch.cat([model.encode([text], convert_to_tensor=True).float()
                                                    for text in TEXTS[2:12:2] + TEXTS[-5:]]))


def difference(before, after):
    return float((before - after).abs().max())


def cosine(before, after):
    if before.shape[1] < 4:  # Logits: all of them as one vector.
        before, after = before.reshape(1, -1), after.reshape(1, -1)
    return float(torch.cosine_similarity(before, after).min())


def quantized(values):
    """As int8 with a scale for each row."""
    scale = values.abs().amax(-1, keepdim=True).clamp(min=1e-12) / 127
    return (values / scale).round() * scale


def near_int8(model):
    """What int8 would give: the weights of products, and what they multiply, quantised by rows."""
    hooks, originals = [], {}
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            originals[module] = module.weight.clone()
            module.weight.copy_(quantized(module.weight))
            hooks.append(module.register_forward_pre_hook(lambda _, inputs: (quantized(inputs[0]),)))
    result = numbers(model)
    for hook in hooks:
        hook.remove()
    for module, weight in originals.items():
        module.weight.copy_(weight)
    return result


def changed_configs(config):
    for field, value in FIELDS.items():
        if config.get(field) is not None and value is not None and config[field] != value:
            yield field, config | {field: value}
    if config.get("use_bidirectional_attention"):
        yield "use_bidirectional_attention", config | {"use_bidirectional_attention": False}
    rope = config.get("rope_parameters") or {}
    for kind in ([None] if "rope_theta" in rope else rope):
        old = rope if kind is None else rope[kind]
        new = old | {"rope_theta": old["rope_theta"] * 4}
        yield f"rope_theta {kind or ''}", config | {"rope_parameters": new if kind is None else rope | {kind: new}}


def load(path, output):
    kind = CrossEncoder if output == "logits" else SentenceTransformer
    return kind(str(path), model_kwargs=F32, device="cpu")


@torch.no_grad()
def check(name):
    references = json.loads((FAMILIES / name / "references.json").read_text())
    output = references.get("series", [{"output": "sparse"}])[0]["output"]
    if output == "sparse" or "base" in references or not (FAMILIES / name / "config.json").exists():
        return
    weak = []
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(FAMILIES / name, references["tokenizer"], pathlib.Path(temporary) / "model")
        try:
            model = load(path, output)
        except (ValueError, KeyError) as error:  # Not a class of transformers.
            return print(f"{name}: {error}".splitlines()[0])
        before = numbers(model)
        config = json.loads((path / "config.json").read_text())
        for field, changed in changed_configs(config):
            (path / "config.json").write_text(json.dumps(changed))
            try:
                change = difference(before, numbers(load(path, output)))
            except (RuntimeError, ValueError):  # Tensors of other shapes: it cannot pass unnoticed.
                continue
            weak += [f"   config.json's {field}: {change:.1e}"] if change < 1e-3 else []
    for key, parameter in model.named_parameters():
        original = parameter.clone()
        parameter.fill_(round(float(original.mean())) if parameter.dim() == 1 else 0)
        change = difference(before, numbers(model))
        parameter.copy_(original)
        weak += [f"   {key}: {change:.1e}"] if change < 1e-3 else []
    int8 = cosine(before, near_int8(model))
    print(f"{name}: int8 {int8:.5f}, bfloat16 {cosine(before, numbers(model.bfloat16())):.5f}",
          *weak, sep="\n", flush=True)


if __name__ == "__main__":
    for directory in sorted(FAMILIES.iterdir()):
        if (directory / "references.json").exists() and (not sys.argv[1:] or directory.name in sys.argv[1:]):
            check(directory.name)
