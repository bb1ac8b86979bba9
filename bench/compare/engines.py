"""What is compared: how each is started and asked."""

import dataclasses
import pathlib
import sys
from typing import Callable

import convert
import llama_cpp

HERE = pathlib.Path(__file__).resolve().parent
PARALLEL = 16  # texts that llama.cpp's server computes together


@dataclasses.dataclass(frozen=True)
class Settings:
    """`longest`: tokens of the longest text that will be asked for."""

    threads: int
    longest: int


@dataclasses.dataclass(frozen=True)
class Engine:
    """`prepare` makes the file that the server loads, if need be; `command(port, settings)`."""

    name: str
    label: str
    precision: str
    prepare: Callable
    command: Callable
    ready_path: str
    path: str
    request: Callable  # texts -> the body
    vectors: Callable  # the answer -> vectors


def native(**fields):
    """An engine that speaks POST /embed."""
    return Engine(
        path="/embed", request=lambda texts: {"texts": texts, "normalize": True},
        vectors=lambda answer: answer["embeddings"], **fields)


def ours(model, binary, precision):
    weights = model.directory / "model.safetensors"

    def command(port, settings):
        return [binary, "serve", "--model", model.directory, "--port", port, "--dtype", precision,
                "--threads", settings.threads]

    return native(name="ours", label="this server", precision=precision, prepare=lambda: weights,
                  command=command, ready_path="/readyz")


def python(model, name, label, precision, prepare):
    def command(port, settings):
        return [sys.executable, HERE / "app.py", name, "--model", model.directory, "--precision",
                precision, "--file", prepare(), "--port", port, "--threads", settings.threads]

    return native(name=name, label=label, precision=precision, prepare=prepare, command=command,
                  ready_path="/health")


def llama(model, kind, precision):
    def prepare():
        llama_cpp.server()
        return llama_cpp.gguf(model, kind)

    def command(port, settings):
        # A text must fit into one batch (-ub). A batch's attention costs the square of its
        # tokens, whoever's they are, so no larger than that.
        batch = max(512, -(-settings.longest // 256) * 256)
        texts = PARALLEL if settings.longest <= 1024 else 1
        pooling = model.pooling.removesuffix("token")  # "last"
        return [llama_cpp.server(), "--model", prepare(), "--embedding", "--pooling", pooling,
                "--ctx-size", batch * texts, "--batch-size", batch, "--ubatch-size", batch,
                "--parallel", texts, "--threads", settings.threads, "--threads-batch",
                settings.threads, "--threads-http", 300, "--host", "127.0.0.1", "--port", port]

    return Engine(
        name=f"llama-{kind}", label=f"llama.cpp {kind}", precision=precision, prepare=prepare,
        command=command, ready_path="/health", path="/v1/embeddings",
        request=lambda texts: {"input": texts, "encoding_format": "float"},
        vectors=lambda answer: [row["embedding"] for row in answer["data"]])


def all_engines(model, binary):
    """Grouped by precision; this server first in each group, f16 with bf16."""

    def converted(kind):
        return lambda: convert.converted(model, kind)

    weights = lambda: model.directory / "model.safetensors"
    transformers = "FastAPI + sentence-transformers"
    return [
        ours(model, binary, "f32"),
        python(model, "st", transformers, "f32", weights),
        python(model, "onnx", "ONNX Runtime", "f32", converted("onnx-f32")),
        python(model, "openvino", "OpenVINO", "f32", converted("openvino-f32")),
        llama(model, "f32", "f32"),
        ours(model, binary, "bf16"),
        python(model, "st", transformers, "bf16", weights),
        python(model, "openvino", "OpenVINO", "bf16", converted("openvino-f32")),
        llama(model, "bf16", "bf16"),
        llama(model, "f16", "bf16"),
        ours(model, binary, "int8"),
        python(model, "onnx", "ONNX Runtime", "int8", converted("onnx-int8")),
        python(model, "openvino", "OpenVINO", "int8", converted("openvino-int8")),
        llama(model, "q8_0", "int8"),
    ]
