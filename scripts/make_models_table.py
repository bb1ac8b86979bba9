#!/usr/bin/env python3
"""Writes docs/models.md: which models there are, what of them was compared, and with which error.

    scripts/make_models_table.py [build/release/tests]

It runs the tests of tests/engine/family_references_test.cc and reads what they record. Where the processor has no bf16,
that is by the tests' stand-in for AMX, which rounds and adds as AMX does (engine_tiles_tests).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests/data/families"

# By model_type, in the order of the table: models of the hub that are of the family.
FAMILIES = {
    "bert": "bge-small-en-v1.5, all-MiniLM-L6-v2, rubert-tiny2, ms-marco-MiniLM-L-6-v2",
    "xlm-roberta": "bge-m3, multilingual-e5-large, bge-reranker-v2-m3",
    "roberta": "ru-en-RoSBERTa, all-distilroberta-v1, all-roberta-large-v1",
    "camembert": "sentence-camembert-large",
    "distilbert": "msmarco-distilbert-base-v4, distiluse-base-multilingual-cased-v2, "
    "opensearch-neural-sparse-encoding-doc-v3-distill",
    "electra": "ms-marco-electra-base",
    "ernie": "text2vec-base-chinese-paraphrase",
    "albert": "paraphrase-albert-small-v2",
    "mpnet": "all-mpnet-base-v2, multi-qa-mpnet-base-dot-v1",
    "modernbert": "gte-modernbert-base, USER2-base, granite-embedding-english-r2, modernbert-embed-base",
    "nomic_bert": "nomic-embed-text-v1.5, nomic-embed-text-v2-moe",
    "gte": "gte-multilingual-base, snowflake-arctic-embed-m-v2.0",
    "jina_embeddings_v3": "jina-embeddings-v3",
    "jina_embeddings_v5": "jina-embeddings-v5-text-small, jina-embeddings-v5-text-nano",
    "eurobert": "EuroBERT-210m and what was trained upon it",
    "qwen2": "KaLM-embedding-multilingual-mini, stella_en_1.5B_v5",
    "qwen3": "Qwen3-Embedding-0.6B, Qwen3-Reranker-0.6B",
    "llama": "embedding models upon Llama 2 and 3",
    "mistral": "e5-mistral-7b-instruct",
    "gemma3_text": "embeddinggemma-300m",
    "embedding_gemma2_text": "EmbeddingGemma 2 (text alone)",
    "t5": "FRIDA, sentence-t5-base, gtr-t5-base",
    "mt5": "encoders of mT5",
    "deberta-v2": "mxbai-rerank-base-v1, nli-deberta-v3-base, deberta-v2-xlarge-mnli",
    "static": "potion-base-8M, static-retrieval-mrl-en-v1; queries of sparse encoders that a table weighs",
}
# Names of the same family in other forms of a config.
SAME = {"new": "gte", "model2vec": "static", None: "static", "embedding_gemma2": "embedding_gemma2_text"}
OUTPUTS = {"dense": "embeddings", "sparse": "weights of tokens", "logits": "logits of pairs"}

HEAD = """# Models

Any model that sentence-transformers 6.2 or `CrossEncoder` loads, of these families. Each row is what
`tests/engine/family_references_test.cc` saw on {processor}: small models with random weights that transformers'
own classes have made, in the layout in which sentence-transformers saves them, against its answers to 52 texts
(empty, long beyond the limit, code, emoji, Arabic, Cyrillic, CJK, control characters) or 20 pairs. Token ids are equal.
`scripts/make_models_table.py` has written this page.

- **difference**: the largest of a number in f32, in proportion to the vector's length where that is above 1; the
  tests' bound is 2e-5.
- **cosine**: the smallest of a text in fewer bits; the bounds are 0.9995 in bf16 and 0.99 in int8. bf16 is computed by
  processors that have it{bf16}.

| family (`model_type`) | for example | compared | small models | difference in f32 | cosine in bf16 | cosine in int8 |
|---|---|---|---|---|---|---|
"""
TAIL = """
Besides, with every family: saved prompts and a default prompt, `max_seq_length`, `truncate_dim` and the dimensions of
Matryoshka models, poolings of every mode, several of them joined, `Dense`, `LayerNorm` and `Normalize` modules, `Router`
(`tests/data/module_models`), names of tensors as older versions and trainers have saved them
(`tests/engine/tensor_names_test.cc`), tokenizers with and without a `tokenizer.json`.

A model that cannot be served says what of it is missing, and loads nothing: an unknown `model_type` with the list of
those that are known, a field's value with those that are supported. Not supported are code that comes with a model,
pictures and sounds, sparse vectors out of dense ones (`SparseAutoEncoder`), averages of word vectors (`WordEmbeddings`),
tokenizers that are Python alone (PhoBERT's, BERTweet's, the Japanese BERTs'), rotary positions that change with a text's
length (`dynamic`, `longrope`), capped scores (Gemma 2), and dropout in tokenizers.

All of the families are computed on GPUs too, by CUDA and by MLX (`./test.sh cuda`, `./test.sh mlx` compare them with the
same references); the convolution of DeBERTa v2's largest models has not been run on CUDA yet. On CUDA attention of more
than 256 numbers a head, or of sizes that are no multiple of 16, is computed without tensor cores, and slowly: that of
EmbeddingGemma 2's global layers.
"""


def family_of(model, references):
    for folder in (model, references.get("base", model)):
        for name in ("config.json", "0_Transformer/config.json", "document_0_Transformer/config.json"):
            path = DATA / folder / name
            if path.exists():
                config = json.loads(path.read_text())
                if "lora_adaptations" in config:
                    return "jina_embeddings_v3"
                kind = config.get("model_type")
                return SAME.get(kind, kind)
    return "static"


def measured(program):
    """Properties of the tests by the model."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [program, "--gtest_filter=Of/FamilyReferences.*", f"--gtest_output=json:{report}", "--gtest_brief=1"],
            check=True,
        )
        suites = json.loads(report.read_text())["testsuites"]
    found = {}
    for suite in suites:
        for test in suite["testsuite"]:
            found.setdefault(test["name"].split("/")[-1], {}).update(test)
    return found


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            flags = Path("/proc/cpuinfo").read_text()
            widest = "AMX" if " amx_tile" in flags else "AVX-512" if " avx512f" in flags else "AVX2"
            return f"an {line.split(': ')[1]} with {widest}"
    return "this processor"


def worst(values, choose, form):
    numbers = [float(value) for value in values if value is not None]
    return form.format(choose(numbers)) if numbers else "not here"


def main():
    programs = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/release/tests"
    results = measured(programs / "engine_tests")
    has_bf16 = any("smallest_cosine_bf16" in result for result in results.values())
    if not has_bf16:
        for model, result in measured(programs / "engine_tiles_tests").items():
            results[model]["smallest_cosine_bf16"] = result.get("smallest_cosine_bf16")
    rows = {}
    for model in sorted(results):
        references = json.loads((DATA / model / "references.json").read_text())
        like = DATA / references.get("like", model) / "references.json"
        outputs = {series["output"] for series in json.loads(like.read_text())["series"]}
        row = rows.setdefault(family_of(model, references), {"models": [], "outputs": set(), "results": []})
        row["models"].append(model)
        row["outputs"] |= outputs
        row["results"].append(results[model])
    unknown = set(rows) - set(FAMILIES)
    if unknown:
        sys.exit(f"families without examples in {Path(__file__).name}: {', '.join(map(str, unknown))}")
    lines = []
    for family, examples in FAMILIES.items():
        if family not in rows:
            continue
        row = rows[family]
        compared = ", ".join(OUTPUTS[name] for name in OUTPUTS if name in row["outputs"])
        values = {
            name: [result.get(name) for result in row["results"]]
            for name in ("largest_difference", "smallest_cosine_bf16", "smallest_cosine_int8")
        }
        lines.append(
            f"| {family} | {examples} | {compared} | {', '.join(row['models'])} "
            f"| {worst(values['largest_difference'], max, '{:.1e}')} "
            f"| {worst(values['smallest_cosine_bf16'], min, '{:.5f}')} "
            f"| {worst(values['smallest_cosine_int8'], min, '{:.4f}')} |"
        )
    bf16 = "" if has_bf16 else "; here by the tests' stand-in for AMX's tiles"
    page = HEAD.format(processor=processor(), bf16=bf16) + "\n".join(lines) + "\n" + TAIL
    (ROOT / "docs/models.md").write_text(page)
    print(f"{len(lines)} families, {len(results)} models: {os.path.relpath(ROOT / 'docs/models.md')}")


if __name__ == "__main__":
    main()
