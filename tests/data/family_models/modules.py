"""What sentence-transformers puts after the network, or beside it, over the weights of other models."""

import filecmp
import json
import pathlib
import tempfile

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.base.modules.router import Router
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules import LayerNorm, Normalize, Pooling
from torch import nn
from transformers import BertConfig, BertModel

from .layout import (F32, FAMILIES, TEXTS, complete, dense_rows, module_of, save, write_json, write_references)
from .weights import randomize

F16 = {"dtype": torch.float16}


def over(base, name, after, *, prompts=None, pooling="mean", before=(), include_prompt=True, normalize=True,
         dimension=None):
    """A model of the base's weights with other modules; its folder has what is not the base's."""
    references = json.loads((FAMILIES / base / "references.json").read_text())
    tokenizer = references["tokenizer"]
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(FAMILIES / base, tokenizer, pathlib.Path(temporary) / "model")
        module = Transformer.load(str(path), model_kwargs=F16)
        model = SentenceTransformer(modules=[
            module, *before, Pooling(dimension or module.get_embedding_dimension(), pooling,
                                     include_prompt=include_prompt),
            *after, *([Normalize()] if normalize else [])], prompts=prompts, device="cpu")
        directory = save(name, model, tokenizer)
        loaded = load(directory, tokenizer, temporary)
        series = [{"output": "dense", "rows": dense_rows(loaded, TEXTS)}]
        series += [{"output": "dense", "prompt_name": key, "rows": dense_rows(loaded, TEXTS[:12], prompt)}
                   for key, prompt in (prompts or {}).items()]
    for file in [file for file in directory.iterdir() if file.is_file()]:
        original = FAMILIES / base / file.name
        if original.exists() and filecmp.cmp(file, original, shallow=False):
            file.unlink()
    write_references(directory, tokenizer, series, base=base)


def load(directory, tokenizer, temporary):
    path = complete(directory, tokenizer, pathlib.Path(temporary) / directory.name)
    return SentenceTransformer(str(path), model_kwargs=F32, device="cpu")


def layer(name, *arguments, **more):
    return randomize(Dense(*arguments, **more), name).float()


def denses():
    over("distilbert", "modules_dense_tanh", [layer("tanh", 32, 20, activation_function=nn.Tanh())])
    over("distilbert", "modules_dense_residual", [
        layer("residual", 32, 24, activation_function=nn.GELU(), use_residual=True),
        layer("residual.2", 24, 24, bias=False, activation_function=nn.ReLU(), use_residual=True)])
    over("distilbert", "modules_dense_of_tokens", [], dimension=20, before=[
        layer("tokens", 32, 20, activation_function=nn.Identity(), module_input_name="token_embeddings")])


def layer_norm():
    norm = LayerNorm(32)
    randomize(norm, "modules_layer_norm")
    over("distilbert", "modules_layer_norm", [norm.float()], normalize=False)


def poolings():
    over("distilbert", "pooling_joined", [], pooling=["weightedmean", "cls", "mean_sqrt_len_tokens", "max", "lasttoken"])
    prompts = {"query": "search query: ", "long": "Represent this sentence, and nothing else, for retrieval: "}
    for mode in ("mean", "cls", "weightedmean"):
        over("roberta" if mode == "cls" else "distilbert", f"pooling_{mode}_without_prompt", [], pooling=mode,
             prompts=prompts, include_prompt=False)


def router():
    """Queries by a network of their own; what has no task goes the documents' way."""
    small = [BertConfig(vocab_size=640, hidden_size=24, num_hidden_layers=layers, num_attention_heads=3,
                        intermediate_size=36, max_position_embeddings=96) for layers in (1, 2)]
    ways = []
    for i, config in enumerate(small):
        module = module_of(randomize(BertModel(config), f"router.{i}"), "bert", 48 if i == 0 else 96)
        ways.append([module, Pooling(24, ("mean", "cls")[i])])
    ways[0].append(layer("router", 24, 24, activation_function=nn.Identity()))
    prompts = {"query": "query: ", "document": "passage: "}
    model = SentenceTransformer(modules=[Router.for_query_document(*ways), Normalize()], prompts=prompts, device="cpu")
    directory = save("router", model, "bert")
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(directory, "bert", pathlib.Path(temporary) / "router")
        for way in ("query", "document"):
            for folder in path.glob(f"{way}_0_Transformer"):
                (folder / "tokenizer.json").write_bytes((path / "tokenizer.json").read_bytes())
        (path / "tokenizer.json").unlink()
        loaded = SentenceTransformer(str(path), model_kwargs=F32, device="cpu")
        series = [{"output": "dense", "rows": dense_rows(loaded, TEXTS)}]
        for way in prompts:
            rows = dense_rows(loaded, TEXTS[:24], prompts[way], task=way)
            given = getattr(loaded, f"encode_{way}")(TEXTS[4], convert_to_tensor=True)
            expected = nn.functional.normalize(torch.tensor(rows[4]["vector"]), dim=0)
            assert (given - expected).abs().max() < 1e-6
            series.append({"output": "dense", "prompt_name": way, "rows": rows})
    write_references(directory, "bert", series, tokenizer_folders=["query_0_Transformer", "document_0_Transformer"])


def old_dense():
    """As sentence-transformers 2 has saved it: a Dense in PyTorch's format, a limit of its own."""
    over("distilbert", "modules_of_version_2", [layer("version_2", 32, 20, activation_function=nn.Tanh())],
         pooling=["cls", "mean", "max"][1], normalize=False)
    directory = FAMILIES / "modules_of_version_2"
    for name in ("sentence_bert_config.json", "config_sentence_transformers.json", "tokenizer_config.json"):
        (directory / name).unlink(missing_ok=True)
    from safetensors.torch import load_file
    weights = directory / "2_Dense/model.safetensors"
    torch.save(load_file(weights), directory / "2_Dense/pytorch_model.bin")
    weights.unlink()
    write_json(directory / "2_Dense/config.json", {
        "in_features": 32, "out_features": 20, "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh"})
    write_json(directory / "1_Pooling/config.json", {
        "word_embedding_dimension": 32, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False})
    write_json(directory / "modules.json", [
        {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": f"sentence_transformers.models.{kind}"}
        for i, kind in enumerate(("Transformer", "Pooling", "Dense"))], indent=2)
    write_json(directory / "config_sentence_transformers.json", {"__version__": {
        "sentence_transformers": "2.2.0", "transformers": "4.16.2", "pytorch": "1.10.2"}}, indent=2)
    write_json(directory / "sentence_bert_config.json", {"max_seq_length": 24, "do_lower_case": False}, indent=2)
    write_json(directory / "tokenizer_config.json", {
        "do_lower_case": True, "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
        "mask_token": "[MASK]", "tokenize_chinese_chars": True, "strip_accents": None, "model_max_length": 512,
        "tokenizer_class": "DistilBertTokenizer"})
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(FAMILIES / "distilbert", "bert", pathlib.Path(temporary) / "model")
        for file in directory.rglob("*"):
            if file.is_file():
                (path / file.relative_to(directory)).parent.mkdir(exist_ok=True)
                (path / file.relative_to(directory)).write_bytes(file.read_bytes())
        loaded = SentenceTransformer(str(path), model_kwargs=F32, device="cpu")
        rows = dense_rows(loaded, TEXTS)
    write_references(directory, "bert", [{"output": "dense", "rows": rows}], base="distilbert")


def both_ways():
    """A decoder whose config says that its attention is not causal."""
    name = "qwen3_not_causal"
    config = json.loads((FAMILIES / "qwen3/config.json").read_text()) | {"is_causal": False}
    (FAMILIES / name).mkdir(exist_ok=True)
    write_json(FAMILIES / name / "config.json", config, indent=2)
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(FAMILIES / "qwen3", "qwen3", pathlib.Path(temporary) / "model")
        (path / "config.json").write_text((FAMILIES / name / "config.json").read_text())
        rows = dense_rows(SentenceTransformer(str(path), model_kwargs=F32, device="cpu"), TEXTS)
    write_references(FAMILIES / name, "qwen3", [{"output": "dense", "rows": rows}], base="qwen3")


MAKE = [denses, layer_norm, poolings, router, old_dense, both_ways]
