"""What the Python originals give for the models here: writes the references, or compares with them.

    python tests/data/make_references.py [--check]   (needs torch, sentence-transformers, transformers)

expected/tokens.*.jsonl               ids by the `tokenizers` library
expected/dense.all-MiniLM-L6-v2.json  SentenceTransformer.encode, and the pooled vectors before Normalize
expected/tiny-bge-m3.json             bge-m3's three outputs, as FlagEmbedding's BGEM3FlagModel defines them
expected/tiny-bge-m3.scores.json      its compute_score of pairs
expected/tiny-reranker.json           logits and scores of XLMRobertaForSequenceClassification

The texts are those that are in the files: add {"text": ...} to one, run this, and it is filled in. With
--check nothing is written; the largest difference to each file is printed, and more than 1e-5 fails.
Other versions and processors differ in the last digits.
"""

import argparse
import gzip
import json
import os
import pathlib

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from torch.nn.functional import normalize  # noqa: E402
from transformers import XLMRobertaForSequenceClassification, XLMRobertaModel  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = HERE / "expected"
MINILM = HERE.parents[1] / "models/all-MiniLM-L6-v2"
TOLERANCE = 1e-5
DIGITS = 8  # significant ones of a float: an f32 has fewer
WHOLE_COLBERT = 100  # of longer texts only the first rows are kept
FIRST_ROWS = 3
SPECIAL = {0, 1, 2, 3}  # ids of <s>, <pad>, </s>, <unk>, which have no lexical weight


def rounded(tensor):
    def each(value):
        return [each(v) for v in value] if isinstance(value, list) else float(f"{value:.{DIGITS}g}")

    return each(tensor.tolist())


def read(name):
    text = (EXPECTED / name).read_text(encoding="utf-8")
    return list(map(json.loads, text.splitlines())) if name.endswith("jsonl") else json.loads(text)


def write(name, rows):
    if name.endswith("jsonl"):
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
    else:
        text = json.dumps(rows, ensure_ascii=not name.startswith("tiny-"))
    (EXPECTED / name).write_text(text, encoding="utf-8")


def plain(tokenizer):
    """Texts whole: neither cut nor padded."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokens(name, document):
    tokenizer = plain(Tokenizer.from_str(document))
    for row in read(name):
        yield {"text": row["text"], "ids": tokenizer.encode(row["text"]).ids}


def minilm(name):
    model = SentenceTransformer(str(MINILM), device="cpu")
    for row in read(name):
        # One at a time: what a text gives does not depend on padding.
        features = model.preprocess([row["text"]])
        pooled = model[1](model[0](features))["sentence_embedding"][0]
        yield {"text": row["text"], "embedding": rounded(normalize(pooled, dim=0)),
               "unnormalized": rounded(pooled)}


class BgeM3:
    """BAAI/bge-m3's three outputs of one text, and the scores of two texts' outputs."""

    def __init__(self, directory):
        self.tokenizer = plain(Tokenizer.from_file(str(directory / "tokenizer.json")))
        self.encoder = XLMRobertaModel.from_pretrained(directory, add_pooling_layer=False).eval()
        self.heads = []
        for name in ("sparse_linear", "colbert_linear"):
            weights = torch.load(directory / f"{name}.pt", weights_only=True)
            rows, columns = weights["weight"].shape
            self.heads.append(torch.nn.Linear(columns, rows))
            self.heads[-1].load_state_dict({k: v.float() for k, v in weights.items()})

    def outputs(self, text):
        ids = self.tokenizer.encode(text.strip()).ids  # as sentence-transformers does
        hidden = self.encoder(torch.tensor([ids])).last_hidden_state[0]
        sparse, colbert = self.heads
        weights = {}
        for token, weight in zip(ids, torch.relu(sparse(hidden))[:, 0].tolist()):
            if token not in SPECIAL and weight > weights.get(token, 0):
                weights[token] = weight
        return normalize(hidden[0], dim=0), weights, normalize(colbert(hidden[1:]), dim=1)

    @staticmethod
    def scores(query, passage):
        dense = (query[0] @ passage[0]).item()
        sparse = sum(weight * passage[1].get(token, 0) for token, weight in query[1].items())
        colbert = (query[2] @ passage[2].T).max(dim=1).values.mean().item()
        return {"colbert": colbert, "sparse": sparse, "dense": dense,
                "sparse+dense": (sparse + dense) / 2,
                "colbert+sparse+dense": (colbert + sparse + dense) / 3}


def bge_m3(name):
    model = BgeM3(HERE / "tiny-bge-m3")
    for row in read(name):
        dense, weights, colbert = model.outputs(row["text"])
        kept = colbert if len(colbert) <= WHOLE_COLBERT else colbert[:FIRST_ROWS]
        yield {"text": row["text"], "dense": rounded(dense),
               "lexical_weights": {str(k): float(f"{v:.{DIGITS}g}") for k, v in weights.items()},
               "colbert": rounded(kept), "colbert_rows": len(colbert)}


def bge_m3_scores(name):
    model = BgeM3(HERE / "tiny-bge-m3")
    for row in read(name):
        pair = [model.outputs(row[key]) for key in ("query", "passage")]
        yield {"query": row["query"], "passage": row["passage"], **model.scores(*pair)}


def reranker(name):
    directory = HERE / "tiny-reranker"
    tokenizer = plain(Tokenizer.from_file(str(directory / "tokenizer.json")))
    model = XLMRobertaForSequenceClassification.from_pretrained(directory).eval()
    for row in read(name):
        ids = tokenizer.encode(row["query"], row["passage"]).ids
        logit = model(torch.tensor([ids])).logits[0, 0]
        yield {"query": row["query"], "passage": row["passage"], "ids": ids,
               "logit": logit.item(), "score": torch.sigmoid(logit).item()}


def largest_difference(a, b):
    """Of the numbers in two documents; anything else that differs is an error."""
    if isinstance(a, float) or isinstance(b, float):
        return abs(a - b)
    if isinstance(a, (dict, list)) and type(a) is type(b) and len(a) == len(b):
        if isinstance(a, dict):
            if list(a) != list(b):
                raise SystemExit(f"{list(a)[:20]} became {list(b)[:20]}")
            a, b = a.values(), b.values()
        return max(map(largest_difference, a, b), default=0)
    if a != b:
        raise SystemExit(f"{str(a)[:200]} became {str(b)[:200]}")
    return 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    bge_m3_tokenizer = gzip.open(HERE / "bge-m3-files/tokenizer.json.gz").read().decode()
    files = {
        "tokens.bge-m3.jsonl": lambda name: tokens(name, bge_m3_tokenizer),
        "tokens.all-MiniLM-L6-v2.jsonl":
            lambda name: tokens(name, (MINILM / "tokenizer.json").read_text(encoding="utf-8")),
        "dense.all-MiniLM-L6-v2.json": minilm,
        "tiny-bge-m3.json": bge_m3,
        "tiny-bge-m3.scores.json": bge_m3_scores,
        "tiny-reranker.json": reranker,
    }
    bad = []
    for name, make in files.items():
        rows = list(make(name))
        if not check:
            write(name, rows)
            continue
        difference = largest_difference(read(name), rows)
        print(f"{name}: {len(rows)} rows, largest difference {difference:.1e}")
        if difference > TOLERANCE:
            bad.append(name)
    if bad:
        raise SystemExit(f"differ by more than {TOLERANCE}: {', '.join(bad)}")


if __name__ == "__main__":
    with torch.no_grad():
        main()
