#!/usr/bin/env python3
"""Writes expected/tensors.json: what PyTorch and safetensors read from the fixtures' weight files.

Also writes the fixture torch-before-1.6.bin, whose storages are named by where they lay in memory: the
names differ from run to run. Each tensor with its dtype, its shape, the CRC-32 of its bytes and its
first values widened to f32. Needs torch and safetensors.
"""

import json
import zlib
from pathlib import Path

import torch
from safetensors.torch import load_file

DATA = Path(__file__).parent
FILES = [
    "tiny-bge-m3/pytorch_model.bin",
    "tiny-bge-m3/sparse_linear.pt",
    "tiny-bge-m3/colbert_linear.pt",
    "tiny-reranker/model.safetensors",
    "torch-before-1.6.bin",
]
DTYPES = {torch.float32: "f32", torch.float16: "f16", torch.float64: "f64", torch.int64: "i64"}


def write_legacy():
    """As torch.save did before 1.6; with a view, a transposed tensor, and two of one storage."""
    torch.manual_seed(1)
    square = torch.randn(3, 4)
    tensors = {"square": square, "row": square[1], "transposed": square.T, "half": square.half(),
               "double": square.double(), "ids": torch.arange(5), "scalar": torch.tensor(2.5),
               "corner": square[1:, 2:], "parameter": torch.nn.Parameter(torch.randn(2))}
    torch.save(tensors, DATA / "torch-before-1.6.bin", _use_new_zipfile_serialization=False)



def describe(tensor):
    tensor = tensor.detach().contiguous()
    return {
        "dtype": DTYPES[tensor.dtype],
        "shape": list(tensor.shape),
        "crc32": zlib.crc32(tensor.numpy().tobytes()),
        "first": tensor.flatten()[:3].float().tolist(),
    }


def main():
    write_legacy()
    expected = {}
    for name in FILES:
        path = DATA / name
        if path.suffix == ".safetensors":
            tensors = load_file(path)
        else:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
        expected[name] = {key: describe(value) for key, value in sorted(tensors.items())}
    with open(DATA / "expected" / "tensors.json", "w", encoding="utf-8") as out:
        # One tensor a line, so that a change can be read.
        out.write(json.dumps(expected).replace('}, "', '},\n"') + "\n")


if __name__ == "__main__":
    main()
