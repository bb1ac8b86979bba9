"""Whether a model's numbers depend on what they should: each tensor, each field of the config.

    python -m family_models.checks [NAME...]      (in tests/data)

A model whose norm's bias, say, is lost must give vectors that differ by far more than the tests allow.
Prints how much the vectors of a few texts turn (1 - cosine, the most of any text) when a tensor is zeroed,
for norms' weights made 1, and how near bfloat16 comes; what turns less than 1e-4 is marked.
"""

import json
import pathlib
import sys
import tempfile

import torch

from .layout import FAMILIES, F32, SentenceTransformer, complete
from .texts import TEXTS


@torch.no_grad()
def vectors(model):
    return torch.nn.functional.normalize(torch.cat([model.encode([text], convert_to_tensor=True).float()
                                                    for text in TEXTS[2:16] + TEXTS[-5:]]))


def turned(before, after):
    return float((1 - (before * after).sum(-1)).max())


def quantized(values):
    """As int8 with a scale for each row."""
    scale = values.abs().amax(-1, keepdim=True).clamp(min=1e-12) / 127
    return (values / scale).round() * scale


def near_int8(model):
    """What int8 would give: the weights of products, and what they multiply, quantised by rows."""
    hooks = []
    originals = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            originals[module] = module.weight.clone()
            module.weight.copy_(quantized(module.weight))
            hooks.append(module.register_forward_pre_hook(lambda _, inputs: (quantized(inputs[0]),)))
    result = vectors(model)
    for hook in hooks:
        hook.remove()
    for module, weight in originals.items():
        module.weight.copy_(weight)
    return result


@torch.no_grad()
def check(name, everything=False):
    references = json.loads((FAMILIES / name / "references.json").read_text())
    if "like" in references or references["series"][0]["output"] != "dense":
        return
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(FAMILIES / name, references["tokenizer"], pathlib.Path(temporary) / "model")
        try:
            model = SentenceTransformer(str(path), model_kwargs=F32, device="cpu")
        except ValueError as error:  # Not transformers' own.
            return print(f"{name}: {error}".splitlines()[0])
    before = vectors(model)
    weak = []
    for key, parameter in model.named_parameters():
        original = parameter.clone()
        mean = round(float(original.mean())) if parameter.dim() == 1 else 0
        parameter.fill_(mean)
        change = turned(before, vectors(model))
        parameter.copy_(original)
        if change < 1e-4 or everything:
            weak.append(f"   {key} {change:.1e}")
    print(f"{name}: int8: least cosine {1 - turned(before, near_int8(model)):.6f}")
    for precision in ("weights", "all"):
        if precision == "weights":
            for parameter in model.parameters():
                parameter.copy_(parameter.bfloat16().float())
        else:
            model.bfloat16()
        print(f"{name}: bfloat16 in {precision}: least cosine {1 - turned(before, vectors(model)):.6f}")
    spread = float((before @ before.T - torch.eye(len(before))).max()), float((before @ before.T).min())
    print(f"{name}: cosines between texts {spread[1]:.3f} to {spread[0]:.3f}")
    print("\n".join(weak))


if __name__ == "__main__":
    for directory in sorted(FAMILIES.iterdir()):
        if (directory / "references.json").exists() and (not sys.argv[1:] or directory.name in sys.argv[1:]):
            check(directory.name)
