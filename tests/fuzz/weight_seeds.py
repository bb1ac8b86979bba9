"""Seeds of files of weights: safetensors, PyTorch archives and their pickles."""

import collections
import io
import json
import pathlib
import pickle
import struct
import sys
import types
import zipfile

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"


def safetensors():
    def file(tensors, data, pad=b""):
        header = json.dumps(tensors, separators=(",", ":")).encode() + pad
        return struct.pack("<Q", len(header)) + header + data

    def tensor(dtype, shape, begin, end):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    dtypes = [("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("I64", 8), ("I32", 4), ("I16", 2),
              ("I8", 1), ("U8", 1), ("BOOL", 1)]
    every = {}
    end = 0
    for name, size in dtypes:
        every[name] = tensor(name, [2], end, end + 2 * size)
        end += 2 * size
    return {
        "empty": file({}, b""),
        "two": file({"__metadata__": {"format": "pt"}, "a": tensor("F32", [2, 3], 0, 24),
                     "b": tensor("F16", [2, 1], 24, 28)}, bytes(range(28)), b"   "),
        "scalar-and-nothing": file({"s": tensor("F32", [], 0, 4), "n": tensor("I8", [0, 7], 4, 4)},
                                   bytes(4)),
        "dtypes": file(every, bytes(end)),
    }


class Storage:
    def __init__(self, kind, key, elements):
        self.kind, self.key, self.elements = kind, key, elements


def torch_modules():
    """Modules with torch's names, so that pickle writes those."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for module, names in ((torch, ["FloatStorage", "HalfStorage", "BFloat16Storage", "LongStorage"]),
                          (utils, ["_rebuild_tensor_v2", "_rebuild_parameter"])):
        for name in names:
            def function():
                raise NotImplementedError
            function.__name__ = function.__qualname__ = name
            function.__module__ = module.__name__
            setattr(module, name, function)
    torch._utils = utils
    sys.modules.update({"torch": torch, "torch._utils": utils})
    return torch


class Reduced:
    def __init__(self, callee, *arguments):
        self.call = (callee, arguments)

    def __reduce__(self):
        return self.call


def state_dict_pickle(torch, state_dict, protocol=2):
    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if not isinstance(value, Storage):
                return None
            return ("storage", getattr(torch, value.kind), value.key, "cpu", value.elements)

    out = io.BytesIO()
    Pickler(out, protocol=protocol).dump(state_dict)
    return out.getvalue()


def tensor_of(torch, kind, key, shape, offset=0, elements=None):
    strides = [1]
    for n in reversed(shape[1:]):
        strides.insert(0, strides[0] * n)
    count = strides[0] * shape[0]
    storage = Storage(kind, key, count + offset if elements is None else elements)
    return Reduced(torch._utils._rebuild_tensor_v2, storage, offset, tuple(shape), tuple(strides),
                   False, collections.OrderedDict())


def state_dicts(torch):
    one = collections.OrderedDict(weight=tensor_of(torch, "FloatStorage", "0", [2, 3]))
    parameter = Reduced(torch._utils._rebuild_parameter,
                        tensor_of(torch, "HalfStorage", "1", [4]), True, collections.OrderedDict())
    shared = Storage("BFloat16Storage", "0", 6)
    two = {name: Reduced(torch._utils._rebuild_tensor_v2, shared, offset, (3,), (1,), False,
                         collections.OrderedDict()) for name, offset in (("a", 0), ("b", 3))}
    return {"one": (one, [24]), "two": (two, [12]),
            "nested": ({"epoch": 3, "loss": 0.5, "state_dict": {"bias": parameter}}, [0, 8])}


def torch_archive():
    torch = torch_modules()
    seeds = {"before-1.6": (DATA / "torch-before-1.6.bin").read_bytes()}
    for name, (state_dict, storages) in state_dicts(torch).items():
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            def add(entry, content):
                archive.writestr(zipfile.ZipInfo("m/" + entry), content)
            add("data.pkl", state_dict_pickle(torch, state_dict))
            add("byteorder", "little")
            for key, size in enumerate(storages):
                add(f"data/{key}", bytes(size))
            add("version", "3\n")
        seeds[name] = out.getvalue()
    return seeds


def pickles():
    torch = torch_modules()
    seeds = {}
    for name, (state_dict, _) in state_dicts(torch).items():
        for protocol in (2, 4):
            seeds[f"{name}-{protocol}"] = state_dict_pickle(torch, state_dict, protocol)
    value = {"i": [0, 255, 65535, -1, 2**40, -2**63], "f": 1.5, "n": None, "b": (True, False),
             "t": ((), (1,), (1, 2, 3, 4)), "s": "текст" * 60}
    for protocol in (2, 3, 5):
        seeds[f"values-{protocol}"] = pickle.dumps(value, protocol=protocol)
    cycle = []
    cycle.append((cycle, {"self": cycle}))
    seeds["cycle"] = pickle.dumps(cycle, protocol=2)
    return seeds
