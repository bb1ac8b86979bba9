"""llama.cpp's server, built from the sources that the package llama-cpp-python carries, and its
models, converted by its own script."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tarfile

from model import WORK

VERSION = "0.3.36"  # of llama-cpp-python
HERE = WORK / f"llama-cpp-python-{VERSION}"
SOURCES = HERE / f"llama_cpp_python-{VERSION}/vendor/llama.cpp"
SERVER = HERE / "build/bin/llama-server"


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr, **options)


def sources():
    if not SOURCES.exists():
        HERE.mkdir(parents=True, exist_ok=True)
        run(sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "llama-cpp-python",
            "--dest", HERE, f"llama-cpp-python=={VERSION}")
        with tarfile.open(HERE / f"llama_cpp_python-{VERSION}.tar.gz") as archive:
            archive.extractall(HERE, filter="data")
    return SOURCES


def server():
    """The binary, for this machine's instructions; without its web page, TLS and tests."""
    if not SERVER.exists():
        print("building llama.cpp's server", file=sys.stderr, flush=True)
        off = ("LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_APP", "LLAMA_BUILD_UI",
               "LLAMA_USE_PREBUILT_UI", "LLAMA_OPENSSL", "BUILD_SHARED_LIBS")
        run("cmake", "-S", sources(), "-B", HERE / "build", "-DCMAKE_BUILD_TYPE=Release",
            "-DGGML_NATIVE=ON", *(f"-D{name}=OFF" for name in off))
        run("cmake", "--build", HERE / "build", "--target", "llama-server",
            f"-j{len(os.sched_getaffinity(0))}")
    return SERVER


def write_sentencepiece(tokenizer_json, path):
    """A sentencepiece model from a tokenizer.json of XLM-RoBERTa: the converter reads that only.

    XLM-RoBERTa has <s> <pad> </s> <unk>, then the model's pieces from its 3rd on, then <mask>;
    sentencepiece's model has <unk> <s> </s> before its 3rd piece.
    """
    from sentencepiece import sentencepiece_model_pb2

    read = json.loads(tokenizer_json.read_text())
    charsmap = next(n["precompiled_charsmap"] for n in read["normalizer"]["normalizers"]
                    if n["type"] == "Precompiled")
    proto = sentencepiece_model_pb2.ModelProto()
    proto.trainer_spec.model_type = proto.trainer_spec.UNIGRAM
    proto.normalizer_spec.add_dummy_prefix = True
    proto.normalizer_spec.remove_extra_whitespaces = True
    proto.normalizer_spec.precompiled_charsmap = base64.b64decode(charsmap)
    kinds = proto.SentencePiece
    for text, kind in (("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)):
        proto.pieces.add(piece=text, score=0, type=kind)
    for text, score in read["model"]["vocab"][4:-1]:
        proto.pieces.add(piece=text, score=score, type=kinds.NORMAL)
    path.write_bytes(proto.SerializeToString())


def staged(model):
    """A directory of links to the model's files, with the sentencepiece model where it needs one."""
    directory = model.cache / "for-llama.cpp"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for file in model.directory.iterdir():
        (directory / file.name).symlink_to(file)
    sentencepiece = directory / "sentencepiece.bpe.model"
    if model.config["model_type"] == "xlm-roberta" and not sentencepiece.exists():
        write_sentencepiece(directory / "tokenizer.json", sentencepiece)
    return directory


def gguf(model, kind):
    """`kind`: f32, f16, bf16 or q8_0."""
    file = model.cache / f"{kind}.gguf"
    if not file.exists():
        print(f"converting {model.directory.name} to {file.name}", file=sys.stderr, flush=True)
        partial = file.with_name(f"partial-{file.name}")
        script = sources() / "convert_hf_to_gguf.py"
        run(sys.executable, script, staged(model), "--outtype", kind, "--outfile", partial)
        partial.rename(file)
    return file
