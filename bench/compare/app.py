"""An embedding service as one writes it in Python, over one of three engines.

    python app.py st|onnx|openvino --model DIRECTORY --precision f32|bf16|int8 [--file FILE]
                  --port PORT --threads N

POST /embed {"texts": [...], "normalize": true} -> {"embeddings": [[...], ...]}; GET /health.
"""

import argparse
import asyncio
import concurrent.futures

import fastapi
import numpy as np
import pydantic
import uvicorn
from fastapi.responses import JSONResponse

from model import inputs_of, padding_tokenizer, read_model

BATCH = 32  # texts computed together: sentence-transformers' default


def sentence_transformers(model, options):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(options.threads)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[options.precision]
    transformer = SentenceTransformer(
        str(model.directory), device="cpu", model_kwargs={"dtype": dtype})

    def embed(texts, normalize):
        return transformer.encode(
            texts, batch_size=BATCH, normalize_embeddings=normalize, show_progress_bar=False)

    return embed


def onnx(model, options):
    """Returns a function from ids and mask to the last hidden states [texts, tokens, hidden]."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(options.file, settings, ["CPUExecutionProvider"])
    return lambda inputs: session.run(["hidden"], inputs)[0]


def openvino(model, options):
    import openvino

    settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1",
                "INFERENCE_NUM_THREADS": options.threads}
    if options.precision != "int8":  # what an int8 model leaves in float runs in the fastest: default
        settings["INFERENCE_PRECISION_HINT"] = options.precision
    compiled = openvino.Core().compile_model(options.file, "CPU", settings)
    request = compiled.create_infer_request()
    return lambda inputs: request.infer(inputs)["hidden"]


def pooled(hidden, mask, kind):
    if kind == "cls":
        return hidden[:, 0]
    if kind == "lasttoken":
        return hidden[np.arange(len(hidden)), mask.sum(axis=1) - 1]
    weights = mask[:, :, None].astype(np.float32)
    return (hidden * weights).sum(axis=1) / weights.sum(axis=1)


def with_pooling(model, run):
    tokenizer = padding_tokenizer(model)

    def embed(texts, normalize):
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        vectors = np.empty((len(texts), model.config["hidden_size"]), np.float32)
        for start in range(0, len(order), BATCH):
            chunk = order[start:start + BATCH]
            inputs = inputs_of(tokenizer, [texts[i] for i in chunk])
            vectors[chunk] = pooled(run(inputs), inputs["attention_mask"], model.pooling)
        if normalize:
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    return embed


class EmbedRequest(pydantic.BaseModel):
    texts: list[str]
    normalize: bool = True


def service(embed):
    app = fastapi.FastAPI()
    # One thread computes, one request at a time; the event loop goes on reading and answering.
    executor = concurrent.futures.ThreadPoolExecutor(1)

    @app.post("/embed")
    async def answer(request: EmbedRequest):
        loop = asyncio.get_running_loop()
        vectors = await loop.run_in_executor(executor, embed, request.texts, request.normalize)
        return JSONResponse({"embeddings": vectors.tolist()})

    @app.get("/health")
    async def health():
        return {"status": "healthy"}

    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=["st", "onnx", "openvino"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", choices=["f32", "bf16", "int8"], required=True)
    parser.add_argument("--file")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    model = read_model(options.model)
    if options.engine == "st":
        embed = sentence_transformers(model, options)
    else:
        embed = with_pooling(model, {"onnx": onnx, "openvino": openvino}[options.engine](model, options))
    embed(["ready"], True)
    uvicorn.run(service(embed), host="127.0.0.1", port=options.port, log_level="warning",
                timeout_keep_alive=600)


if __name__ == "__main__":
    main()
