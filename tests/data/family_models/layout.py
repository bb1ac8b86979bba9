"""Writes a model as sentence-transformers saves it, and what sentence-transformers gives for it."""

import json
import os
import pathlib
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
from sentence_transformers import CrossEncoder, SentenceTransformer, SparseEncoder
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from .texts import PAIRS, TEXTS
from .tokenizers_of_families import FOLDER as TOKENIZERS
from .tokenizers_of_families import directory_of, without_places

FAMILIES = TOKENIZERS.parent
# Models this small are slower with more.
torch.set_num_threads(1)
F32 = {"dtype": torch.float32}
TOKENIZER_FILES = ("tokenizer.json", "sentencepiece.bpe.model", "spiece.model", "spm.model",
                   "tokenizer.model")


def write_json(path, value, **options):
    path.write_text(json.dumps(value, ensure_ascii=False, **options) + "\n")


def module_of(model, tokenizer, limit, task="feature-extraction", tokenizer_options=None):
    """The Transformer module of a transformers model with the tokenizer of that kind."""
    with tempfile.TemporaryDirectory() as directory:
        model.save_pretrained(directory)
        for file in directory_of(tokenizer).iterdir():
            shutil.copy(file, directory)
        return Transformer(directory, transformer_task=task, model_kwargs={"dtype": torch.float16},
                           processor_kwargs={"model_max_length": limit, **(tokenizer_options or {})})


def finish(directory, tokenizer):
    """Takes away what tells nothing, and the tokenizer's files, which lie once for all models."""
    (directory / "README.md").unlink(missing_ok=True)
    for path in directory.rglob("*"):
        if path.name in TOKENIZER_FILES:
            original = TOKENIZERS / tokenizer / path.name
            if path.name != "tokenizer.json" or vocabulary(path) == vocabulary(original):
                path.unlink()
            else:
                raise SystemExit(f"{path} is not {original}")
        elif path.is_file():
            path.chmod(0o644)
            if path.name == "tokenizer_config.json":
                without_places(path)


def vocabulary(path):
    """A tokenizer.json but for how long texts may be, and how they are padded."""
    content = json.loads(path.read_text()) | {"truncation": None, "padding": None}
    if content["model"]["type"] == "Unigram":
        # Reading and writing a score again moves its last digit.
        content["model"]["vocab"] = [[piece, round(score, 10)] for piece, score in content["model"]["vocab"]]
    return content


def save(name, model, tokenizer):
    directory = FAMILIES / name
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(str(directory))
    finish(directory, tokenizer)
    return directory


def complete(directory, tokenizer, target):
    """The directory with its tokenizer beside the model, as the test puts it together."""
    shutil.copytree(directory, target)
    shutil.copy(TOKENIZERS / tokenizer / "tokenizer.json", target)
    return target


def numbers(values):
    return [float(f"{value:.8g}") for value in values]


def write_references(directory, tokenizer, series, **more):
    lines = []
    for one in series:
        rows = one.pop("rows")
        fields = "".join(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}, "
                         for key, value in one.items())
        body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        lines.append(f"{{{fields}\"rows\": [\n{body}\n]}}")
    head = json.dumps({"tokenizer": tokenizer} | more)[:-1]
    (directory / "references.json").write_text(f"{head}, \"series\": [\n" + ",\n".join(lines) + "\n]}\n")


@torch.no_grad()
def dense_rows(model, texts, prompt=None, **arguments):
    """For each text its ids and its vector before it is divided by its length."""
    rows = []
    for text in texts:
        features = model.preprocess([text], prompt=prompt, **arguments)
        ids = features["input_ids"][0].tolist() if "input_ids" in features else None
        for module in model:
            if isinstance(module, Normalize):
                continue
            features = module(features, **{key: value for key, value in arguments.items()
                                           if key in getattr(module, "forward_kwargs", ())})
        vector = features["sentence_embedding"][0]
        given = model.encode(text, prompt=prompt, normalize_embeddings=True, convert_to_tensor=True,
                             **arguments)
        difference = (torch.nn.functional.normalize(vector, dim=0) - given).abs().max()
        assert difference < 1e-6, (text, difference)
        rows.append({"ids": ids, "vector": numbers(vector.tolist())})
    return rows


def dense(name, model, tokenizer, *, pooling="mean", after=(), limit=96, prompts=None, default_prompt=None,
          normalize=True, include_prompt=True, tokenizer_options=None, similarity=None, truncate_dim=None, token_weights=None, matryoshka=(),
          dimension=None):
    """A model of vectors and its references, for each of its prompts too."""
    module = module_of(model, tokenizer, limit, tokenizer_options=tokenizer_options)
    modules = [module, Pooling(dimension or module.get_embedding_dimension(), pooling, include_prompt=include_prompt),
               *after, *([Normalize()] if normalize else [])]
    directory = save(name, SentenceTransformer(
        modules=modules, prompts=prompts, default_prompt_name=default_prompt,
        similarity_fn_name=similarity, truncate_dim=truncate_dim, device="cpu"), tokenizer)
    dense_references(directory, tokenizer, prompts or {}, token_weights, matryoshka)
    return directory


def dense_references(directory, tokenizer, prompts, token_weights=None, matryoshka=()):
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(directory, tokenizer, pathlib.Path(temporary) / "model")
        loaded = SentenceTransformer(str(path), model_kwargs=F32, device="cpu")
        first = loaded.default_prompt_name
        rows = dense_rows(loaded, TEXTS, loaded.prompts[first] if first else None)
        series = [{"output": "dense", "rows": rows}]
        series += [{"output": "dense", "prompt_name": name, "rows": dense_rows(loaded, TEXTS[:6], prompt)}
                   for name, prompt in prompts.items()]
        for dimensions in matryoshka:
            loaded.truncate_dim = dimensions
            series.append({"output": "dense", "dimensions": dimensions, "rows": truncated(loaded, rows[:6])})
        if token_weights:
            series.append({"output": "sparse", "rows": weight_rows(token_weights, loaded.tokenizer, rows)})
    write_references(directory, tokenizer, series)


def truncated(model, rows):
    """The same with fewer numbers, as the model gives them."""
    short = []
    for text, row in zip(TEXTS, rows):
        vector = row["vector"][:model.truncate_dim]
        given = model.encode(text, normalize_embeddings=True, convert_to_tensor=True)
        assert (torch.nn.functional.normalize(torch.tensor(vector), dim=0) - given).abs().max() < 1e-6
        short.append({"ids": row["ids"], "vector": vector})
    return short


@torch.no_grad()
def weight_rows(model, tokenizer, rows):
    """The weights of a head of one number a token: max(0, number), the most of each id, none of a special one."""
    # A new one: what .half() has rounded of the old one's frequencies is in no file.
    fresh = type(model)(model.config)
    fresh.load_state_dict(model.state_dict())
    fresh.float().eval()
    unused = {tokenizer.cls_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id}
    weighted = []
    for row in rows:
        weights = {}
        for token, logit in zip(row["ids"], fresh(torch.tensor([row["ids"]])).logits[0, :, 0].tolist()):
            if token not in unused and logit > 0:
                weights[token] = max(weights.get(token, 0), float(f"{logit:.8g}"))
        weighted.append({"ids": row["ids"], "weights": weights})
    return weighted
