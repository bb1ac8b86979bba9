"""Sparse encoders: masked-language models with SPLADE's pooling, tables of weights, and both in one."""

import pathlib
import shutil
import tempfile

import torch
import transformers
from sentence_transformers import SparseEncoder
from sentence_transformers.base.modules.router import Router
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling

from .layout import F32, FAMILIES, TEXTS, complete, module_of, save, write_references
from .tokenizers_of_families import directory_of
from .weights import GENTLE_BRANCHES, randomize, randomize_tensors


@torch.no_grad()
def sparse_rows(loaded, texts, prompt=None, **arguments):
    """For each text its ids and those of its weights that are not 0."""
    rows = []
    for text in texts:
        ids = loaded.preprocess([text], prompt=prompt, **arguments)["input_ids"][0].tolist()
        weights = loaded.encode(text, prompt=prompt, convert_to_tensor=True, convert_to_sparse_tensor=False, **arguments)
        rows.append({"ids": [int(i) for i in ids], "weights": {str(i): float(f"{float(weights[i]):.8g}")
                                                               for i in weights.nonzero().flatten().tolist()}})
    return rows


def splade(name, model, tokenizer, *, limit=64, strategy="max", activation="relu"):
    module = module_of(model, tokenizer, limit, "fill-mask")
    directory = save(name, SparseEncoder(modules=[module, SpladePooling(
        pooling_strategy=strategy, activation_function=activation)], device="cpu"), tokenizer)
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(directory, tokenizer, pathlib.Path(temporary) / "model")
        rows = sparse_rows(SparseEncoder(str(path), model_kwargs=F32, device="cpu"), TEXTS)
    write_references(directory, tokenizer, [{"output": "sparse", "rows": rows}])


def sparse_encoders():
    """The bias of the vocabulary lies low, so that most weights are 0, as in real models."""
    from .rotary import modernbert_config
    models = {
        "splade_distilbert": (transformers.DistilBertForMaskedLM(transformers.DistilBertConfig(
            vocab_size=640, dim=24, n_layers=2, n_heads=3, hidden_dim=48, max_position_embeddings=64)), "bert"),
        "splade_roberta": (transformers.RobertaForMaskedLM(transformers.RobertaConfig(
            vocab_size=640, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48,
            max_position_embeddings=66, type_vocab_size=1, pad_token_id=1)), "roberta"),
        "splade_mpnet": (transformers.MPNetForMaskedLM(transformers.MPNetConfig(
            vocab_size=640, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48,
            max_position_embeddings=66)), "mpnet"),
        "splade_gte": (transformers.GteForMaskedLM(transformers.GteConfig(
            vocab_size=642, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=36,
            max_position_embeddings=64, type_vocab_size=0,
            rope_parameters={"rope_type": "default", "rope_theta": 1000.0})), "xlm_roberta"),
        "splade_modernbert": (transformers.ModernBertForMaskedLM(modernbert_config(
            hidden_size=24, num_attention_heads=3, intermediate_size=36, num_hidden_layers=2)), "modernbert")}
    for name, (model, tokenizer) in models.items():
        randomize(model, name, GENTLE_BRANCHES).float()
        for key, parameter in model.named_parameters():
            if parameter.dim() == 1 and len(parameter) == model.config.vocab_size:
                # What int8 misses most are weights near 0: a lower bias leaves these two too few others.
                parameter.data.sub_({"splade_modernbert": 12.0, "splade_gte": 10.0}.get(name, 14.0))
        splade(name, model.half(), tokenizer)


def table_of_weights(name, tokenizer, limit):
    """SparseStaticEmbedding: some of its weights are 0, and some, which training has left so, below it."""
    with tempfile.TemporaryDirectory() as temporary:
        for file in directory_of(tokenizer).iterdir():
            shutil.copy(file, temporary)
        loaded = transformers.AutoTokenizer.from_pretrained(temporary, model_max_length=limit)
    weight = randomize_tensors(name, {"x": (len(loaded.get_vocab()),)}, 3.0)["x"].float()
    return SparseStaticEmbedding(loaded, weight.where(weight > -1.0, 0.0))


def sparse_static():
    """By a table alone, of which no more than the eight largest weights are kept."""
    name = "sparse_static"
    directory = save(name, SparseEncoder(modules=[table_of_weights(name, "xlm_roberta", 48)],
                                         max_active_dims=8, device="cpu"), "xlm_roberta")
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(directory, "xlm_roberta", pathlib.Path(temporary) / "model")
        rows = sparse_rows(SparseEncoder(str(path), device="cpu"), TEXTS)
    write_references(directory, "xlm_roberta", [{"output": "sparse", "special_tokens": False, "rows": rows}])


def inference_free():
    """As opensearch-neural-sparse-encoding-doc-v3: queries by a table, documents, in the model's own folder, by SPLADE."""
    name, base = "sparse_static_router", "splade_distilbert"
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(FAMILIES / base, "bert", pathlib.Path(temporary) / "base")
        documents = list(SparseEncoder(str(path), model_kwargs={"dtype": torch.float16}, device="cpu"))
    directory = save(name, SparseEncoder(
        modules=[Router.for_query_document([table_of_weights(name, "bert", 24)], documents)],
        similarity_fn_name="dot", device="cpu"), "bert")
    shutil.rmtree(directory / "document_0_Transformer")
    shutil.copy(FAMILIES / base / "sentence_bert_config.json", directory)
    router = directory / "router_config.json"
    router.write_text(router.read_text().replace("document_0_Transformer", ""))
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(FAMILIES / base, "bert", pathlib.Path(temporary) / "model")
        shutil.copytree(directory, path, dirs_exist_ok=True)
        shutil.copy(path / "tokenizer.json", path / "query_0_SparseStaticEmbedding")
        loaded = SparseEncoder(str(path), model_kwargs=F32, device="cpu")
        series = [{"output": "sparse", "rows": sparse_rows(loaded, TEXTS)},
                  {"output": "sparse", "prompt_name": "query", "special_tokens": False,
                   "rows": sparse_rows(loaded, TEXTS, task="query")},
                  {"output": "sparse", "prompt_name": "document", "rows": sparse_rows(loaded, TEXTS[:12], task="document")}]
    write_references(directory, "bert", series, base=base,
                     tokenizer_folders=["", "query_0_SparseStaticEmbedding"])


MAKE = [sparse_encoders, sparse_static, inference_free]
