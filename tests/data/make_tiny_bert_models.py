"""Makes tiny BERT models with random weights, and what transformers gives for them.

    python tests/data/make_tiny_bert_models.py        (needs torch, transformers, tokenizers)

tiny-splade      a BertForMaskedLM, laid out as SparseEncoder saves it: weights are the max over tokens
                 of log(1 + relu(logit)), as SPLADE (Formal et al., 2021) defines them
tiny-classifier  a BertForSequenceClassification of three labels: logits of single texts and pairs
"""

import json
import pathlib

import torch
from tokenizers import BertWordPieceTokenizer, Tokenizer
from tokenizers.processors import BertProcessing
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

HERE = pathlib.Path(__file__).resolve().parent

lines = (HERE / "expected/tokens.all-MiniLM-L6-v2.jsonl").read_text().splitlines()
texts = [json.loads(line)["text"] for line in lines if line.isascii()][:200]


def trained():
    """A tokenizer of 600 pieces of the texts. Training numbers pieces by chance, so it is another
    each time; the one that is there stays."""
    if (HERE / "tiny-splade/tokenizer.json").exists():
        return Tokenizer.from_file(str(HERE / "tiny-splade/tokenizer.json"))
    tokenizer = BertWordPieceTokenizer()
    tokenizer.train_from_iterator(texts, vocab_size=600, min_frequency=1, show_progress=False)
    special = {token: tokenizer.token_to_id(token) for token in ("[SEP]", "[CLS]")}
    tokenizer.post_processor = BertProcessing(*special.items())
    return tokenizer


tokenizer = trained()
torch.manual_seed(1)


def config(**more):
    return BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, max_position_embeddings=128,
        initializer_range=0.3, **more,
    )


def save(model, name):
    (HERE / name).mkdir(exist_ok=True)
    model.save_pretrained(HERE / name)
    (HERE / name / "model.safetensors").chmod(0o644)
    tokenizer.save(str(HERE / name / "tokenizer.json"))


def write_json(path, value):
    (HERE / path).write_text(json.dumps(value, indent=1) + "\n")


def write(name, expected):
    write_json(f"expected/{name}.json", expected)


@torch.no_grad()
def splade():
    model = BertForMaskedLM(config()).eval()
    model.cls.predictions.bias.uniform_(-3, 1)  # so that many weights are 0, as in real models
    save(model, "tiny-splade")
    modules = [("", "base.modules.transformer.Transformer"),
               ("1_SpladePooling", "sparse_encoder.modules.splade_pooling.SpladePooling")]
    write_json("tiny-splade/modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.{kind}"}
        for i, (path, kind) in enumerate(modules)])
    (HERE / "tiny-splade/1_SpladePooling").mkdir(exist_ok=True)
    write_json("tiny-splade/1_SpladePooling/config.json", {
        "pooling_strategy": "max", "activation_function": "relu", "embedding_dimension": None})
    for text in [*texts[:5], ""]:
        logits = model(torch.tensor([tokenizer.encode(text).ids])).logits[0]
        weights = torch.log1p(torch.relu(logits)).max(dim=0).values
        yield {"text": text, "weights": {str(int(i)): float(weights[i]) for i in weights.nonzero()}}


@torch.no_grad()
def classifier():
    labels = {0: "bad", 1: "so so", 2: "good"}
    model = BertForSequenceClassification(config(id2label=labels)).eval()
    model.classifier.bias.uniform_(-1, 1)
    save(model, "tiny-classifier")
    for text, pair in [(texts[0], None), (texts[1], None), *zip(texts[2:6], texts[6:10])]:
        encoding = tokenizer.encode(text, pair)
        ids, types = torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])
        yield {"text": text, "pair": pair,
               "logits": model(ids, token_type_ids=types).logits[0].tolist()}


write("tiny-splade", list(splade()))
write("tiny-classifier", list(classifier()))
