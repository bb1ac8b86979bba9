#!/usr/bin/env python3
"""Writes model directories that are each broken in one way, for tests of the server's start.

    make_bad_models.py GOOD_MODEL OUT

GOOD_MODEL is a small sentence-transformers or transformers directory, such as tiny-bge-m3. Below OUT
come a directory for each case and manifest.json, {case: regular expression that the error message
must match}. Two of the pickles would, if somebody ran them, create the file OUT/EXECUTED.

Needs numpy only. Files that a case leaves alone are links to one good copy, OUT/good.
"""

import io
import json
import os
import pickle
import shutil
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

# --- reading the good weights


class TensorUnpickler(pickle.Unpickler):
    """Reads the pickle of a PyTorch archive into numpy arrays."""

    DTYPES = {"FloatStorage": np.float32, "HalfStorage": np.float16, "LongStorage": np.int64}

    def __init__(self, archive, prefix):
        super().__init__(io.BytesIO(archive.read(f"{prefix}/data.pkl")))
        self.archive, self.prefix = archive, prefix

    def find_class(self, module, name):
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, *_: storage[
                offset : offset + int(np.prod(size))
            ].reshape(size)
        if module == "torch" and name in self.DTYPES:
            return self.DTYPES[name]
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        raise pickle.UnpicklingError(f"{module}.{name}")

    def persistent_load(self, pid):
        _, dtype, key, _, _ = pid
        return np.frombuffer(self.archive.read(f"{self.prefix}/data/{key}"), dtype)


def read_weights(directory):
    archive_path = directory / "pytorch_model.bin"
    if archive_path.exists():
        with zipfile.ZipFile(archive_path) as archive:
            prefix = archive.namelist()[0].split("/")[0]
            return TensorUnpickler(archive, prefix).load()
    content = (directory / "model.safetensors").read_bytes()
    (header_bytes,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + header_bytes])
    data = content[8 + header_bytes :]
    dtypes = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], dtypes[entry["dtype"]]).reshape(
            entry["shape"]
        )
        for name, entry in header.items()
        if name != "__metadata__"
    }


# --- writing weights, good and bad

SAFETENSORS_DTYPES = {"float32": "F32", "float16": "F16", "int64": "I64"}


def safetensors(tensors, change_header=None):
    """The file's bytes; change_header(header) may falsify the header."""
    header, data = {}, b""
    for name, array in tensors.items():
        header[name] = {
            "dtype": SAFETENSORS_DTYPES[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + array.nbytes],
        }
        data += array.tobytes()
    text = json.dumps(header if change_header is None else change_header(header) or header)
    return struct.pack("<Q", len(text)) + text.encode() + data


def torch_archive(data_pkl, storages, compression=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("model/data.pkl", data_pkl)
        archive.writestr("model/byteorder", "little")
        for key, content in storages.items():
            archive.writestr(f"model/data/{key}", content)
    return out.getvalue()


def text(string):
    encoded = string.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def integer(value):
    return b"J" + struct.pack("<i", value)


def integers(values):
    return b"(" + b"".join(integer(value) for value in values) + b"t"


def pickled_tensor(key, shape, offset=0, strides=None):
    """Opcodes that push a float32 tensor as torch.save writes it."""
    elements = int(np.prod(shape))
    if strides is None:
        strides = [int(np.prod(shape[i + 1 :])) for i in range(len(shape))]
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu")
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + integer(elements)
        + b"tQ"
        + integer(offset)
        + integers(shape)
        + integers(strides)
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )


def state_dict_pickle(items):
    """A pickle of {name: value}; the values are opcodes."""
    return b"\x80\x02}(" + b"".join(text(name) + value for name, value in items.items()) + b"u."


def torch_weights(tensors, change=None, **archive_options):
    """A whole archive of `tensors`; change(items, storages) may falsify both."""
    items, storages = {}, {}
    for i, (name, array) in enumerate(tensors.items()):
        items[name] = pickled_tensor(str(i), array.shape)
        storages[str(i)] = array.astype(np.float32).tobytes()
    if change is not None:
        change(items, storages)
    return torch_archive(state_dict_pickle(items), storages, **archive_options)


# --- the cases


class Corpus:
    def __init__(self, good, out):
        self.out = out
        self.manifest = {}
        self.tensors = read_weights(good)
        self.word_embeddings = next(
            name for name in self.tensors if name.endswith("embeddings.word_embeddings.weight")
        )
        self.base = out / "good"
        self.base.mkdir(parents=True)
        for name in ["config.json", "tokenizer.json", "tokenizer_config.json"]:
            shutil.copy(good / name, self.base / name)
        self.config = json.loads((good / "config.json").read_text(encoding="utf-8"))
        hidden_size = self.config["hidden_size"]
        write_json(self.base / "modules.json", MODULES)
        (self.base / "1_Pooling").mkdir()
        write_json(
            self.base / "1_Pooling" / "config.json",
            {"word_embedding_dimension": hidden_size, "pooling_mode_cls_token": True},
        )
        (self.base / "model.safetensors").write_bytes(safetensors(self.tensors))

    def add(self, case, error, files):
        """A case that differs from the good model by `files`: {name: content or None for absent}.

        Content is bytes, or something to be written as JSON.
        """
        directory = self.out / case
        directory.mkdir()
        for path in sorted(self.base.rglob("*")):
            name = str(path.relative_to(self.base))
            if path.is_dir():
                (directory / name).mkdir()
            elif name not in files:
                os.symlink(os.path.relpath(path, (directory / name).parent), directory / name)
        for name, content in files.items():
            if content is None:
                continue
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                write_json(path, content)
        self.manifest[case] = error

    def add_config(self, case, error, **fields):
        self.add(case, error, {"config.json": {**self.config, **fields}})

    def add_safetensors(self, case, error, change_header):
        self.add(
            case, error, {"model.safetensors": safetensors(self.tensors, change_header)}
        )

    def add_torch(self, case, error, content):
        self.add(case, error, {"model.safetensors": None, "pytorch_model.bin": content})


MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]


def write_json(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


def add_config_cases(corpus):
    hidden_size = corpus.config["hidden_size"]
    corpus.add("config_missing", r"config\.json: cannot open", {"config.json": None})
    corpus.add("config_empty", r"config\.json: the file is empty", {"config.json": b""})
    corpus.add("config_not_json", r"config\.json: not valid JSON", {"config.json": b"{not json"})
    corpus.add("config_is_a_list", r"config\.json: must be a JSON object", {"config.json": []})
    corpus.add(
        "config_nested",
        r"config\.json: nested more than 64 levels",
        {"config.json": b'{"a":' + b"[" * 100_000},
    )
    add = corpus.add_config
    add("model_type_unknown", r'model_type "gpt2" is not supported', model_type="gpt2")
    add("activation_unsupported", r'hidden_act "relu" is not supported', hidden_act="relu")
    add("positions_relative", r'position_embedding_type "relative_key"',
        position_embedding_type="relative_key")
    add("decoder", r"is_decoder is true", is_decoder=True)
    add("hidden_size_negative", r"hidden_size must be .* but it is -64", hidden_size=-64)
    add("hidden_size_float", r"hidden_size must be an integer", hidden_size=float(hidden_size))
    add("hidden_size_null", r"hidden_size must be .* but it is null", hidden_size=None)
    add("layers_absurd", r"num_hidden_layers must be", num_hidden_layers=10**9)
    add("layers_more_than_weights", r"encoder\.layer\..* is missing",
        num_hidden_layers=corpus.config["num_hidden_layers"] + 1)
    add("heads_not_dividing", r"hidden_size .* is not a multiple of num_attention_heads 3",
        num_attention_heads=3)
    add("vocab_size_not_that_of_weights", r"word_embeddings.* must have shape .* but it has",
        vocab_size=corpus.config["vocab_size"] + 1)
    corpus.add(
        "hidden_size_not_that_of_weights",
        r"embeddings.* must have shape .* but it has",
        {
            "config.json": {**corpus.config, "hidden_size": 2 * hidden_size},
            "1_Pooling/config.json": {"word_embedding_dimension": 2 * hidden_size},
        },
    )


def add_module_cases(corpus):
    hidden_size = corpus.config["hidden_size"]
    corpus.add(
        "transformer_alone",
        r"modules\.json: has a Transformer alone, .*a Pooling is needed",
        {"modules.json": MODULES[:1]},
    )
    corpus.add(
        "pooling_missing", r"1_Pooling/config\.json: cannot open", {"1_Pooling/config.json": None}
    )
    corpus.add(
        "pooling_width_wrong",
        r"word_embedding_dimension is .* but config\.json's hidden_size is",
        {"1_Pooling/config.json": {"word_embedding_dimension": hidden_size + 1}},
    )
    corpus.add(
        "pooling_mode_unknown",
        r'pooling_mode "median" is not supported',
        {"1_Pooling/config.json": {"embedding_dimension": hidden_size, "pooling_mode": "median"}},
    )
    corpus.add(
        "module_with_code",
        r'module 1: type "custom_st\.Pooling" is not of sentence_transformers',
        {"modules.json": [MODULES[0], {**MODULES[1], "type": "custom_st.Pooling"}]},
    )
    corpus.add(
        "module_outside",
        r"module 1: path .* leads out of the model's directory",
        {"modules.json": [MODULES[0], {**MODULES[1], "path": "../good/1_Pooling"}]},
    )


def add_safetensors_cases(corpus):
    weights = "model.safetensors"
    good = safetensors(corpus.tensors)
    corpus.add("weights_missing", r"no weights", {weights: None})
    corpus.add("weights_empty", r"model\.safetensors: the file is empty", {weights: b""})
    corpus.add(
        "weights_truncated",
        r"model\.safetensors: .*past the end .*truncated",
        {weights: good[: len(good) // 2]},
    )
    corpus.add(
        "weights_truncated_in_header", r"model\.safetensors: truncated", {weights: good[:100]}
    )
    corpus.add(
        "weights_lfs_pointer",
        r"is a Git LFS pointer",
        {weights: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"},
    )
    corpus.add(
        "weights_is_a_directory", r"not a regular file", {weights: None, f"{weights}/x": b""}
    )
    names = list(corpus.tensors)
    lost = next(name for name in names if name.endswith("output.LayerNorm.weight"))
    corpus.add(
        "tensor_missing",
        rf'tensor "{lost}" .*is missing',
        {weights: safetensors({k: v for k, v in corpus.tensors.items() if k != lost})},
    )
    as_integers = {**corpus.tensors, lost: corpus.tensors[lost].astype(np.int64)}
    corpus.add(
        "tensor_of_integers",
        rf'tensor "{lost}" must be f32, f16, bf16 or f64, but it is i64',
        {weights: safetensors(as_integers)},
    )
    first, second = names[0], names[1]

    def set_field(name, field, value):
        def change(header):
            header[name][field] = value(header[name][field])

        return change

    def overlap(header):
        begin, end = header[first]["data_offsets"]
        header[second]["data_offsets"] = [begin, begin + corpus.tensors[second].nbytes]

    corpus.add_safetensors("offsets_overlapping", r"overlap", overlap)
    corpus.add_safetensors(
        "offsets_backwards",
        r"end before they begin",
        set_field(first, "data_offsets", lambda offsets: offsets[::-1]),
    )
    corpus.add_safetensors(
        "offsets_past_the_end",
        r"past the end of the file",
        set_field(second, "data_offsets", lambda offsets: [n + 2**40 for n in offsets]),
    )
    corpus.add_safetensors(
        "shape_negative",
        r"shape must hold non-negative integers",
        set_field(first, "shape", lambda shape: [-n for n in shape]),
    )
    corpus.add_safetensors(
        "shape_overflowing", r"overflows", set_field(first, "shape", lambda _: [2**40, 2**40])
    )
    corpus.add_safetensors(
        "dtype_unknown",
        r'dtype "F8_E4M3" is not supported',
        set_field(first, "dtype", lambda _: "F8_E4M3"),
    )


def add_torch_cases(corpus):
    command = text(f"touch '{corpus.out / 'EXECUTED'}'")
    small = dict(list(corpus.tensors.items())[:2])
    name = next(iter(small))

    def replaced_by(opcodes):
        return torch_weights(small, lambda items, _: items.update({name: opcodes}))

    add = corpus.add_torch
    add("pickle_os_system", r"refuses os\.system", replaced_by(b"cos\nsystem\n(" + command + b"tR"))
    add("pickle_stack_global", r"refuses posix\.system",
        replaced_by(text("posix") + text("system") + b"\x93(" + command + b"tR"))
    add("pickle_inst", r"refuses the opcode INST", replaced_by(b"(" + command + b"ios\nsystem\n"))
    add("pickle_eval", r"refuses builtins\.eval",
        replaced_by(b"cbuiltins\neval\n(" + text("1") + b"tR"))
    add("pickle_cyclic", r"is a dictionary, not a tensor",
        torch_archive(b"\x80\x02}q\x01" + text("w") + b"h\x01s.", {}))
    add("pickle_truncated", r"pickle is truncated", torch_archive(b"\x80\x02}(X\xff\xff", {}))
    add("archive_truncated", r"pytorch_model\.bin: zip: no end record",
        torch_weights(small)[:-200])
    add("archive_compressed", r"is compressed",
        torch_weights(small, compression=zipfile.ZIP_DEFLATED))
    add("archive_not_a_zip", r"not a zip archive", b"<html>404: Not Found</html>")
    add("storage_missing", r'storage "0" is not in the archive',
        torch_weights(small, lambda _, storages: storages.pop("0")))
    add("storage_too_small", r'storage "0" should have',
        torch_weights(small, lambda _, storages: storages.update({"0": b"1234"})))
    shape = small[name].shape
    add("tensor_offset_past_storage", r"past the end of its storage",
        replaced_by(pickled_tensor("0", shape, offset=1)))


def add_shard_cases(corpus):
    index = "model.safetensors.index.json"
    names = list(corpus.tensors)
    half = {name: corpus.tensors[name] for name in names[: len(names) // 2]}
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    weight_map = {name: first if name in half else second for name in names}
    corpus.add(
        "shard_missing",
        rf"{second}: cannot open",
        {
            "model.safetensors": None,
            index: {"weight_map": weight_map},
            first: safetensors(half),
        },
    )
    corpus.add(
        "shard_outside",
        r"must be in a file of this directory",
        {
            "model.safetensors": None,
            index: {"weight_map": dict.fromkeys(names, "../good/model.safetensors")},
        },
    )
    corpus.add(
        "shard_index_not_json",
        r"index\.json: not valid JSON",
        {"model.safetensors": None, index: b'{"weight_map": {'},
    )


def add_tokenizer_cases(corpus):
    tokenizer = (corpus.base / "tokenizer.json").read_bytes()
    corpus.add("tokenizer_missing", r"tokenizer\.json", {"tokenizer.json": None})
    corpus.add("tokenizer_empty", r"tokenizer\.json", {"tokenizer.json": b""})
    corpus.add(
        "tokenizer_truncated",
        r"tokenizer\.json",
        {"tokenizer.json": tokenizer[: len(tokenizer) // 2]},
    )
    rows = corpus.config["vocab_size"] // 2
    table = corpus.tensors[corpus.word_embeddings][:rows]
    corpus.add(
        "tokenizer_larger_than_model",
        r"tokenizer.*vocab_size",
        {
            "config.json": {**corpus.config, "vocab_size": rows},
            "model.safetensors": safetensors({**corpus.tensors, corpus.word_embeddings: table}),
        },
    )


def add_table_cases(corpus):
    """Tokenizers that give what the model's tables have no row for."""
    types = corpus.config["type_vocab_size"]
    positions = corpus.config["max_position_embeddings"]
    classifier = {
        **corpus.config,
        "architectures": ["XLMRobertaForSequenceClassification"],
        "id2label": {"0": "x"},
    }

    def add(case, error, change, config=corpus.config):
        tokenizer = json.loads((corpus.base / "tokenizer.json").read_text(encoding="utf-8"))
        change(tokenizer)
        # The list of modules would make an encoder of a classifier's checkpoint.
        alone = {"modules.json": MODULES[:1]} if config is classifier else {}
        corpus.add(case, error, {"tokenizer.json": tokenizer, "config.json": config, **alone})

    def set_type(name):
        def change(tokenizer):
            # The last piece of a template is a special token.
            tokenizer["post_processor"][name][-1]["SpecialToken"]["type_id"] = types

        return change

    def add_special_tokens(tokenizer):
        single = tokenizer["post_processor"]["single"]
        single += [single[0]] * positions

    def set_special_id(tokenizer):
        special = next(iter(tokenizer["post_processor"]["special_tokens"].values()))
        special["ids"] = [10**6]

    beyond = rf"the type {types}, but config\.json's type_vocab_size is {types}"
    add("type_beyond_table", rf"tokens of a text {beyond}", set_type("single"))
    add("pair_type_beyond_table", rf"tokens of a pair {beyond}", set_type("pair"), classifier)
    add(
        "special_tokens_beyond_positions",
        rf"special tokens to a text, .*max_position_embeddings is {positions}",
        add_special_tokens,
    )
    vocab_size = corpus.config["vocab_size"]
    add("special_id_beyond_table", rf"ids up to 1000000, .*vocab_size is {vocab_size}", set_special_id)


def add_head_cases(corpus):
    hidden = corpus.config["hidden_size"]
    weight, bias = np.zeros((1, hidden), np.float32), np.zeros(1, np.float32)
    sparse, colbert = "sparse_linear.pt", "colbert_linear.pt"
    good = torch_weights({"weight": weight, "bias": bias})
    corpus.add("sparse_truncated", r"sparse_linear\.pt", {sparse: good[: len(good) // 2]})
    corpus.add(
        "sparse_shape",
        r'sparse_linear\.pt: .*"weight" .*shape',
        {sparse: torch_weights({"weight": weight[:, 1:], "bias": bias})},
    )
    corpus.add(
        "colbert_without_bias",
        r'colbert_linear\.pt: .*"bias".* missing',
        {colbert: torch_weights({"weight": np.zeros((4, hidden), np.float32)})},
    )
    classifier = {**corpus.config, "architectures": ["XLMRobertaForSequenceClassification"]}
    corpus.add(
        "classifier_without_head",
        r'"classifier\.dense\.weight".* missing',
        {"config.json": {**classifier, "id2label": {"0": "x"}}, "modules.json": None},
    )
    corpus.add(
        "classifier_labels",
        r"config\.json: id2label must be",
        {"config.json": {**classifier, "id2label": {"1": "x"}}},
    )
    prompts = "config_sentence_transformers.json"
    corpus.add("prompts_wrong", r"prompts must be", {prompts: {"prompts": {"query": 1}}})
    corpus.add(
        "default_prompt_unknown",
        r"default_prompt_name must be",
        {prompts: {"prompts": {}, "default_prompt_name": "query"}},
    )


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    good, out = Path(sys.argv[1]), Path(sys.argv[2]).absolute()
    corpus = Corpus(good, out)
    add_config_cases(corpus)
    add_module_cases(corpus)
    add_safetensors_cases(corpus)
    add_torch_cases(corpus)
    add_shard_cases(corpus)
    add_tokenizer_cases(corpus)
    add_table_cases(corpus)
    add_head_cases(corpus)
    write_json(out / "manifest.json", corpus.manifest)
    print(f"{len(corpus.manifest)} bad models in {out}")


if __name__ == "__main__":
    main()
