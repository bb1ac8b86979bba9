"""Reads and writes models' files of weights with numpy alone, well formed or falsified."""

import io
import json
import pickle
import struct
import zipfile

import numpy as np

# --- reading


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


# --- writing

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
