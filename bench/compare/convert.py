"""Makes what ONNX Runtime and OpenVINO load, once: each function returns the file.

    python convert.py MODEL_DIRECTORY onnx-f32|onnx-int8|openvino-f32|openvino-int8

A conversion runs in a process of its own, so that its memory is free again before anything is
measured.
"""

import shutil
import subprocess
import sys

from model import inputs_of, padding_tokenizer, read_model
from texts import natural_texts

CALIBRATION_TEXTS = 64


def make_whole(path, write):
    """Calls `write(directory)` on a new directory and moves it to `path.parent` when it is
    complete: a conversion that was interrupted leaves nothing that looks finished."""
    if path.exists():
        return path
    partial = path.parent.with_name(path.parent.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write(partial)
    partial.rename(path.parent)
    return path


def onnx_f32(model):
    def write(directory):
        import torch
        from transformers import AutoModel

        class Hidden(torch.nn.Module):
            def __init__(self):
                super().__init__()
                # Eager attention: ONNX Runtime runs its graph 5 % faster than that of "sdpa".
                self.encoder = AutoModel.from_pretrained(
                    model.directory, dtype=torch.float32, attn_implementation="eager").eval()

            def forward(self, input_ids, attention_mask):
                return self.encoder(
                    input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

        ids = torch.full((2, 9), 5)
        mask = torch.ones_like(ids)
        mask[1, 5:] = 0
        axes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens")}
        torch.onnx.export(
            Hidden(), (ids, mask), directory / "model.onnx", dynamo=True, external_data=True,
            input_names=["input_ids", "attention_mask"], output_names=["hidden"],
            dynamic_shapes=(axes, axes))

    return make_whole(model.cache / "onnx-f32/model.onnx", write)


def onnx_int8(model):
    def write(directory):
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(
            onnx_f32(model), directory / "model.onnx", per_channel=True,
            weight_type=QuantType.QInt8, use_external_data_format=True)

    return make_whole(model.cache / "onnx-int8/model.onnx", write)


def openvino_f32(model):
    def write(directory):
        import openvino

        openvino.save_model(
            openvino.convert_model(onnx_f32(model)), directory / "model.xml", compress_to_fp16=False)

    return make_whole(model.cache / "openvino-f32/model.xml", write)


def openvino_int8(model):
    """Weights and activations, the latter by what a few texts need."""

    def write(directory):
        import nncf
        import openvino

        tokenizer = padding_tokenizer(model)
        texts = natural_texts()[::18][:CALIBRATION_TEXTS]
        calibration = nncf.Dataset(texts, lambda text: inputs_of(tokenizer, [text]))
        quantized = nncf.quantize(
            openvino.Core().read_model(openvino_f32(model)), calibration,
            model_type=nncf.ModelType.TRANSFORMER, subset_size=len(texts))
        openvino.save_model(quantized, directory / "model.xml", compress_to_fp16=False)

    return make_whole(model.cache / "openvino-int8/model.xml", write)


KINDS = {"onnx-f32": onnx_f32, "onnx-int8": onnx_int8,
         "openvino-f32": openvino_f32, "openvino-int8": openvino_int8}


def converted(model, kind):
    """The file, made in another process if it does not exist."""
    file = model.cache / kind / ("model.onnx" if kind.startswith("onnx") else "model.xml")
    if not file.exists():
        print(f"converting {model.directory.name} to {kind}", file=sys.stderr, flush=True)
        subprocess.run(
            [sys.executable, __file__, model.directory, kind], check=True, stdout=sys.stderr)
    return file


if __name__ == "__main__":
    KINDS[sys.argv[2]](read_model(sys.argv[1]))
