"""Makes tiny-bge-m3 and tiny-reranker: bge-m3's files with fewer pieces and smaller sizes.

    python tests/data/make_tiny_xlm_roberta_models.py [DIR]     (needs torch, transformers)

DIR is where the two folders are (default: here). Weights that are there stay: nobody noted the seed of
those in this folder, and expected/ holds what they give. Where there are none, random ones of the same
scales are drawn: then make_references.py has to write the references anew.
"""

import gzip
import json
import pathlib
import shutil
import sys

import torch
from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification, XLMRobertaModel

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE / "bge-m3-files"
PIECES = 8001  # of bge-m3's, which begin with the most frequent ones; <mask> comes behind them
SIZES = {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 2,
         "intermediate_size": 512, "vocab_size": PIECES + 1}
RERANKER = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1,
            "intermediate_size": 256, "vocab_size": PIECES + 1, "max_position_embeddings": 514,
            "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1, "bos_token_id": 0,
            "eos_token_id": 2, "num_labels": 1}


def changed(name, **fields):
    return {**json.loads((SOURCE / name).read_text(encoding="utf-8")), **fields}


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def write_tokenizer(directory):
    document = json.loads(gzip.open(SOURCE / "tokenizer.json.gz").read())
    vocab = document["model"]["vocab"]
    document["model"]["vocab"] = [*vocab[:PIECES], vocab[-1]]
    document["added_tokens"][-1]["id"] = PIECES
    text = json.dumps(document, ensure_ascii=False)
    (directory / "tokenizer.json").write_text(text, encoding="utf-8")
    config = changed("tokenizer_config.json")
    tokens = config["added_tokens_decoder"]
    tokens[str(PIECES)] = tokens.pop(str(len(vocab) - 1))
    write_json(directory / "tokenizer_config.json", config)
    shutil.copyfile(SOURCE / "special_tokens_map.json", directory / "special_tokens_map.json")


def draw(model):
    """Weights that move every part of the computation: nothing is near 0, 1 or symmetric."""
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            weight.normal_(0, 0.1)
        elif "LayerNorm" in name:
            weight.normal_(1, 0.2)
        elif "embeddings" in name:
            weight.normal_(0, 0.5)
        else:
            weight.normal_(0, 1.5 / weight.shape[1] ** 0.5)
    return model


def make_bge_m3(directory):
    write_tokenizer(directory)
    for name in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"):
        shutil.copyfile(SOURCE / name, directory / name)
    config = changed("config.json", **SIZES)
    write_json(directory / "config.json", config)
    hidden = config["hidden_size"]
    (directory / "1_Pooling").mkdir(exist_ok=True)
    write_json(directory / "1_Pooling/config.json",
               changed("1_Pooling/config.json", word_embedding_dimension=hidden))
    if (directory / "pytorch_model.bin").exists():
        return
    model = XLMRobertaModel(XLMRobertaConfig(**config), add_pooling_layer=False)
    torch.save(draw(model).state_dict(), directory / "pytorch_model.bin")
    for name, rows in (("sparse_linear", 1), ("colbert_linear", hidden)):
        weights = torch.nn.Linear(hidden, rows).half().state_dict()
        torch.save(weights, directory / f"{name}.pt")


def make_reranker(directory):
    write_tokenizer(directory)
    if (directory / "model.safetensors").exists():
        return
    model = XLMRobertaForSequenceClassification(XLMRobertaConfig(**RERANKER))
    draw(model).save_pretrained(directory)
    (directory / "model.safetensors").chmod(0o644)


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, make in (("tiny-bge-m3", make_bge_m3), ("tiny-reranker", make_reranker)):
        torch.manual_seed(1)
        (out / name).mkdir(parents=True, exist_ok=True)
        make(out / name)


if __name__ == "__main__":
    with torch.no_grad():
        main()
