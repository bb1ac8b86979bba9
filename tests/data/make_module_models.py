"""Makes small models of modules of every kind, and what sentence-transformers gives for them.

    python tests/data/make_module_models.py [NAME...]     (needs torch, sentence-transformers 6.2)

Writes module_models/NAME for each: what the directory has beside the files of the families that it is made
of, and references.json. `bases` of that file are folders of the model and the family whose files belong
there; `series` are texts with one prompt and what they give.
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Router, Transformer
from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling, StaticEmbedding
from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE / "module_models"
BASE_FILES = ("config.json", "model.safetensors", "sentence_bert_config.json", "tokenizer_config.json")
LONG = "a very long text of many words that is cut before it comes to its own end " * 8
TEXTS = ["", "a", "Hello, world!", "The giant panda is a bear species endemic to China.",
         "Привет, мир! Как дела?", " white space at both ends  ", "[CLS] and [SEP] 你好,世界!", LONG]
PAIRS = [["what is a panda?", "The giant panda is a bear."], ["", ""], ["Привет", LONG]]
ALL_MODES = ["lasttoken", "cls", "max", "weightedmean", "mean_sqrt_len_tokens", "mean"]
OLD = "sentence_transformers.models."


def base(family, directory):
    """Puts a family's Transformer into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in BASE_FILES:
        shutil.copy(HERE / "families" / family / name, directory)
    shutil.copy(HERE / "families/tokenizers" / family / "tokenizer.json", directory)
    return directory


def transformer(family="bert"):
    with tempfile.TemporaryDirectory() as directory:
        return Transformer(str(base(family, pathlib.Path(directory) / "model")),
                           model_kwargs={"dtype": torch.float32})


@torch.no_grad()
def drawn(module, seed):
    """The module with random weights that matter; every one is a number that float16 has."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        scale = 1.5 / parameter.shape[-1] ** 0.5 if parameter.dim() == 2 else 0.5
        parameter.copy_((torch.randn(parameter.shape, generator=generator) * scale).half().float())
    return module


def dense(seed, in_features, out_features, activation=None, **options):
    return drawn(Dense(in_features, out_features, activation_function=activation or torch.nn.Tanh(), **options), seed)


def static(seed, dimension=24, family="bert"):
    tokenizer = Tokenizer.from_file(str(HERE / "families/tokenizers" / family / "tokenizer.json"))
    tokenizer.no_truncation()
    return drawn(StaticEmbedding(tokenizer, embedding_dim=dimension), seed)


def numbers(values):
    return [float(f"{value:.8g}") for value in values]


def finish(directory, bases):
    """Takes away what the families have already."""
    (directory / "README.md").unlink(missing_ok=True)
    for folder, family in bases.items():
        originals = pathlib.Path(tempfile.mkdtemp()) / "base"
        for original in base(family, originals).iterdir():
            path = directory / folder / original.name
            if not path.exists():
                continue
            # The families' own configs say the same but for places and types.
            if path.suffix == ".safetensors":
                tensors, expected = load_file(path), load_file(original)
                assert all(torch.equal(tensor.float(), expected[key].float()) for key, tensor in tensors.items())
            path.unlink()
        shutil.rmtree(originals.parent)
    for path in sorted(directory.rglob("*"), reverse=True):
        if path.suffix == ".safetensors":
            save_file({name: halved(tensor) for name, tensor in load_file(path).items()}, path)
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file():
            path.chmod(0o644)


def halved(tensor):
    """In float16 where that loses nothing."""
    return tensor.half() if tensor.is_floating_point() and torch.equal(tensor.half().to(tensor.dtype), tensor) else tensor


def complete(name, bases, target):
    for folder, family in bases.items():
        base(family, target / folder)
    shutil.copytree(MODELS / name, target, dirs_exist_ok=True)
    return str(target)


def series_of(loaded, one):
    """Rows of a series: {"prompt_name", "task", "output", "texts"}."""
    output = one.get("output", "dense")
    rows = []
    for text in one.pop("texts", PAIRS if output == "logits" else TEXTS):
        if output == "logits":
            values = loaded.predict([text], activation_fn=torch.nn.Identity(), prompt_name=one.get("prompt_name"))
            values = torch.as_tensor(values).reshape(-1).tolist()
        else:
            task = one.get("task")
            encode = getattr(loaded, f"encode_{task}") if task else loaded.encode
            values = encode(text, prompt_name=None if task else one.get("prompt_name"), batch_size=1).tolist()
        rows.append({"text": text, "values": numbers(values)})
    return one | {"rows": rows}


def write(name, bases, kind, series, normalized):
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(name, bases, pathlib.Path(temporary) / "model")
        # A static table's module does not read the dtype.
        loaded = kind(path, device="cpu", model_kwargs={"dtype": torch.float32}).float()
        made = [series_of(loaded, dict(one)) for one in series]
        for one in made:
            if one.pop("scores", False):
                query, *texts = [row["text"] for row in one["rows"]]
                is_routed = any(isinstance(module, Router) for module in loaded)
                encode = (loaded.encode_query, loaded.encode_document) if is_routed else (loaded.encode,) * 2
                one["scores"] = numbers(loaded.similarity(encode[0](query), encode[1](texts))[0].tolist())
    lines = []
    for one in made:
        rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in one.pop("rows"))
        fields = json.dumps(one, ensure_ascii=False)[1:-1]
        lines.append("{" + (fields + ", " if fields else "") + f"\"rows\": [\n{rows}\n]" + "}")
    head = json.dumps({"bases": bases, "normalized": normalized})[1:-1]
    (MODELS / name / "references.json").write_text("{" + head + ", \"series\": [\n" + ",\n".join(lines) + "\n]}\n")


def model(name, modules, series=({},), bases=None, kind=SentenceTransformer, change=None, **options):
    """Saves a model of these modules, changes its files, and writes the references."""
    directory = MODELS / name
    shutil.rmtree(directory, ignore_errors=True)
    bases = {"": "bert"} if bases is None else bases
    kind(modules=modules, device="cpu", **options).save_pretrained(str(directory))
    if change:
        change(directory)
    finish(directory, bases)
    write(name, bases, kind, series, isinstance(modules[-1], Normalize))


def edit(path, **fields):
    content = json.loads(path.read_text()) if path.exists() else {}
    content.update(fields)
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


# --- the models

def modules_of_every_kind():
    model("modules_of_every_kind", [
        transformer(), Pooling(32, "mean"), dense(1, 32, 24, torch.nn.GELU()), drawn(LayerNorm(24), 2),
        dense(3, 24, 24, torch.nn.SiLU(), use_residual=True), Normalize(),
        dense(4, 24, 16, torch.nn.Identity(), bias=False, use_residual=True), dense(5, 16, 12, torch.nn.ReLU())])


def layer_norm_at_the_end():
    model("layer_norm_at_the_end", [transformer(), Pooling(32, "cls"), drawn(LayerNorm(32), 1)])


def normalized_twice():
    model("normalized_twice", [transformer(), Pooling(32, "mean"), Normalize(), dense(1, 32, 8), Normalize()])


def modes_joined():
    model("modes_joined", [transformer(), Pooling(32, ALL_MODES), dense(1, 192, 20, torch.nn.Sigmoid())])


def modes_joined_by_old_flags():
    """As versions up to 5 saved it: flags in their own order, and weights by pickle."""
    def change(directory):
        (directory / "1_Pooling/config.json").write_text(json.dumps(
            {"word_embedding_dimension": 32, "pooling_mode_lasttoken": True, "pooling_mode_cls_token": True,
             "pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": True}))
        edit(directory / "2_Dense/config.json", module_input_name=None, module_output_name=None, use_residual=None)
        torch.save(load_file(directory / "2_Dense/model.safetensors"), directory / "2_Dense/pytorch_model.bin")
        (directory / "2_Dense/model.safetensors").unlink()
        (directory / "config_sentence_transformers.json").unlink()
        modules = json.loads((directory / "modules.json").read_text())
        for module in modules:
            module["type"] = OLD + module["type"].split(".")[-1]
        (directory / "modules.json").write_text(json.dumps(modules))
    model("modes_joined_by_old_flags", [transformer(), Pooling(32, ["cls", "max", "lasttoken"]), dense(1, 96, 8)],
          change=change)


def without_the_prompt():
    prompts = {"query": "search for this: ", "short": "q", "special": "ends in a [SEP]", "long": LONG}
    model("without_the_prompt", [transformer(), Pooling(32, ["mean", *ALL_MODES[:5]], include_prompt=False)],
          [{}] + [{"prompt_name": name, "texts": TEXTS[:4] + TEXTS[-2:]} for name in prompts], prompts=prompts)


def cross_encoder_of_modules():
    model("cross_encoder_of_modules", [
        transformer(), Pooling(32, ["cls", "max"]), dense(1, 64, 24, torch.nn.GELU()), drawn(LayerNorm(24), 2),
        dense(3, 24, 2, torch.nn.Identity(), module_output_name="scores")],
        [{"output": "logits"}, {"output": "logits", "prompt_name": "q"}], kind=CrossEncoder,
        prompts={"q": "query: "})


def compared(name, similarity, truncate_dim=None, after=()):
    model(name, [transformer(), Pooling(32, "mean"), *after], [{"scores": True, "texts": TEXTS[2:6]}],
          similarity_fn_name=similarity, truncate_dim=truncate_dim)


def compared_by_dot():
    compared("compared_by_dot", "dot")


def compared_by_dot_cut():
    compared("compared_by_dot_cut", "dot", truncate_dim=12, after=[Normalize()])


def compared_by_euclidean():
    compared("compared_by_euclidean", "euclidean")


def compared_by_manhattan():
    compared("compared_by_manhattan", "manhattan", truncate_dim=20)


def static_embedding():
    model("static_embedding", [static(1)], [{}, {"prompt_name": "query", "texts": TEXTS[:3]}], bases={},
          prompts={"query": "find: "})


def static_embedding_in_a_folder():
    def change(directory):
        (directory / "0_StaticEmbedding").mkdir()
        for name in ("model.safetensors", "tokenizer.json"):
            (directory / name).rename(directory / "0_StaticEmbedding" / name)
        modules = json.loads((directory / "modules.json").read_text())
        modules[0] |= {"path": "0_StaticEmbedding", "type": OLD + "StaticEmbedding"}
        (directory / "modules.json").write_text(json.dumps(modules))
        # A limit of the file's own counts.
        tokenizer = Tokenizer.from_file(str(directory / "0_StaticEmbedding/tokenizer.json"))
        tokenizer.enable_truncation(20)
        tokenizer.save(str(directory / "0_StaticEmbedding/tokenizer.json"))
    model("static_embedding_in_a_folder", [static(1, 16), dense(2, 16, 8), Normalize()], bases={}, change=change)


def model2vec():
    """As model2vec saves it, with a vocabulary that shares rows, and weights."""
    def change(directory):
        table = load_file(directory / "model.safetensors")["embedding.weight"]
        generator = torch.Generator().manual_seed(7)
        save_file({"embeddings": table[:100].half().contiguous(),
                   "mapping": torch.randint(0, 100, (len(table),), generator=generator),
                   "weights": torch.rand(len(table), generator=generator, dtype=torch.float64)},
                  directory / "model.safetensors")
        (directory / "config.json").write_text(json.dumps(
            {"model_type": "model2vec", "architectures": ["StaticModel"], "apply_zipf": True, "hidden_dim": 16,
             "seq_length": 1000000, "normalize": True}))
        modules = json.loads((directory / "modules.json").read_text())
        modules[0] |= {"path": ".", "type": OLD + "StaticEmbedding"}
        modules[1] |= {"type": OLD + "Normalize"}
        (directory / "modules.json").write_text(json.dumps(modules))
    model("model2vec", [static(1, 16), Normalize()], bases={}, change=change)


ROUTED = [{"prompt_name": task, "task": task, "texts": TEXTS} for task in ("query", "document")]


def routes_of_their_own():
    """Queries take a static table, all others a Transformer."""
    router = Router.for_query_document([static(1, 32)], [transformer(), Pooling(32, "mean")],
                                       default_route="document")
    model("routes_of_their_own", [router, Normalize()], [{}, *ROUTED, {"scores": True, "texts": TEXTS[2:6]}],
          bases={"document_0_Transformer": "bert"}, prompts={"query": "find: "})


def routes_after_the_pooling():
    """As versions up to 4 saved it: an Asym, in a folder whose folders are numbers."""
    def change(directory):
        router = directory / "2_Router"
        config = json.loads((router / "router_config.json").read_text())
        names = {}
        for i, name in enumerate(config["types"]):
            names[name] = f"{140053 + i}_Dense"
            (router / name).rename(router / names[name])
        config["types"] = {name: OLD + "Dense.Dense" for name in names.values()}
        config["structure"] = {key: [names[name] for name in of] for key, of in config["structure"].items()}
        config["parameters"] = {"allow_empty_key": False}
        (router / "config.json").write_text(json.dumps(config))
        (router / "router_config.json").unlink()
        router.rename(directory / "2_Asym")
        modules = json.loads((directory / "modules.json").read_text())
        modules[2] |= {"path": "2_Asym", "type": OLD + "Asym"}
        (directory / "modules.json").write_text(json.dumps(modules))
    router = Router({"query": [dense(1, 32, 12)], "document": [dense(2, 32, 12)]}, allow_empty_key=False)
    model("routes_after_the_pooling", [transformer(), Pooling(32, "cls"), router], ROUTED, change=change)


def routes_by_mappings():
    """Of which one is also the way of texts without a task, and of clusterings."""
    router = Router({"image": [dense(1, 32, 12)], "text": [dense(2, 32, 12), dense(3, 12, 12)]},
                    route_mappings={("query", "text"): "image", (None, "text"): "text"})
    model("routes_by_mappings", [transformer(), Pooling(32, "cls"), router], [{}, *ROUTED])


MAKE = [modules_of_every_kind, layer_norm_at_the_end, normalized_twice, modes_joined, modes_joined_by_old_flags,
        without_the_prompt, cross_encoder_of_modules, compared_by_dot, compared_by_dot_cut, compared_by_euclidean,
        compared_by_manhattan, static_embedding, static_embedding_in_a_folder, model2vec, routes_of_their_own,
        routes_after_the_pooling, routes_by_mappings]

if __name__ == "__main__":
    for make in MAKE:
        if not sys.argv[1:] or make.__name__ in sys.argv[1:]:
            print(make.__name__, flush=True)
            make()
