"""Tables of vectors without a network: as sentence-transformers saves them, and as model2vec does."""

import json
import pathlib
import shutil
import tempfile

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import Tokenizer

from .layout import FAMILIES, TEXTS, TOKENIZERS, complete, numbers, save, write_json, write_references
from .weights import randomize_tensors


@torch.no_grad()
def references(directory, tokenizer):
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(directory, tokenizer, pathlib.Path(temporary) / "model")
        loaded = SentenceTransformer(str(path), device="cpu")
        rows = []
        for text in TEXTS:
            features = loaded.preprocess([text])
            vector = loaded[0](features)["sentence_embedding"][0].float()
            given = loaded.encode(text, normalize_embeddings=True, convert_to_tensor=True).float()
            assert (torch.nn.functional.normalize(vector, dim=0) - given).abs().max() < 1e-6
            rows.append({"ids": features["input_ids"].tolist(), "vector": numbers(vector.tolist())})
    # A text's own tokens, without special ones and however many they are.
    write_references(directory, tokenizer, [{"output": "dense", "special_tokens": False, "rows": rows}])


def static():
    table = randomize_tensors("static", {"x": (642, 24)}, 1.0)["x"].float()
    tokenizer = Tokenizer.from_file(str(TOKENIZERS / "xlm_roberta/tokenizer.json"))
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=table)], device="cpu")
    references(save("static", model, "xlm_roberta"), "xlm_roberta")


def model2vec(name, tensors, normalize=True):
    directory = FAMILIES / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    save_file(tensors, directory / "model.safetensors")
    (directory / "model.safetensors").chmod(0o644)
    write_json(directory / "config.json", {
        "model_type": "model2vec", "architectures": ["StaticModel"], "tokenizer_name": "baai/bge-base-en-v1.5",
        "apply_pca": 24, "apply_zipf": True, "hidden_dim": 24, "seq_length": 1000000, "normalize": normalize}, indent=1)
    write_json(directory / "modules.json", [
        {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"}], indent=1)
    references(directory, "bert")


def model2vecs():
    model2vec("static_model2vec", {"embeddings": randomize_tensors("model2vec", {"x": (640, 24)}, 1.0)["x"].float()})
    # Fewer vectors than tokens, each token's number of one, and how much it counts.
    drawn = randomize_tensors("model2vec_mapped", {"embeddings": (100, 24), "weights": (640,)}, 1.0)
    generator = torch.Generator().manual_seed(1)
    model2vec("static_model2vec_mapped", {
        "embeddings": drawn["embeddings"].float(), "weights": drawn["weights"].abs().double() + 0.125,
        "mapping": torch.randint(100, (640,), generator=generator)})


MAKE = [static, model2vecs]
