"""The cases of make_bad_models.py that are wrong in their weights."""

import zipfile

import numpy as np

from weight_files import pickled_tensor, safetensors, text, torch_archive, torch_weights


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


def add_cases(corpus):
    add_safetensors_cases(corpus)
    add_torch_cases(corpus)
    add_shard_cases(corpus)
    add_head_cases(corpus)
