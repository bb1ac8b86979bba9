#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets, corpus/<target>/seed-*: one valid input of each kind, small.

    tests/fuzz/make_corpora.py

The other files of a corpus are what fuzzing found and was worth keeping: inputs that reach code
which no seed reaches (named by their SHA-1, as libFuzzer does it), and those that once failed
(regression-*). The seeds depend on nothing but this file and tests/data: running it again changes
nothing.
"""

import base64
import collections
import io
import json
import pathlib
import pickle
import random
import struct
import sys
import types
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "data"


def write(target, seeds):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("seed-*"):
        old.unlink()
    for name, content in seeds.items():
        if isinstance(content, str):
            content = content.encode()
        (folder / f"seed-{name}").write_bytes(content)


# --- bodies of requests


def json_body():
    bodies = {
        "/embed": [
            {"texts": ["a", "Пример", ""], "normalize": False, "truncate": True, "dimensions": 3},
            {"texts": "one", "return_sparse": True, "return_colbert_vecs": True, "prompt_name": None},
            {"texts": ["a"], "output_dtype": "ubinary", "model": "org/embedder"},
            {"texts": ["a"], "return_dense": False, "return_sparse": True},
            {"inputs": [[1, 2, 3], [4]], "truncation_direction": "Left"},
        ],
        "/embed raw": [{"texts": ["a", "b"]}],
        "/": [{"inputs": "a text that is long", "truncate": False}],
        "/embed_all": [{"inputs": ["a", "b"]}],
        "/embed_sparse": [{"inputs": "a"}],
        "/similarity": [{"inputs": {"source_sentence": "a", "sentences": ["b", "c"]}}],
        "/rerank": [{"query": "q", "texts": ["a", "b"], "raw_scores": True, "return_text": True}],
        "/predict": [
            {"inputs": "a", "raw_scores": False},
            {"inputs": [["a", "b"], ["c", "d"]]},
            {"inputs": [["a"], ["b"]]},
        ],
        "/tokenize": [{"inputs": ["Hello, wörld!", ""], "add_special_tokens": False}],
        "/decode": [{"ids": [[2, 101, 3], [5]], "skip_special_tokens": False}],
        "/v1/embeddings": [
            {"input": ["a"], "model": "m", "encoding_format": "base64", "dimensions": 2},
            {"input": [1, 2], "output_dtype": "int8", "user": "u"},
        ],
        "/v1/rerank": [
            {"query": "q", "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": True},
            {"model": "org/embedder", "query": "q", "documents": ["a"], "mode": "hybrid",
             "weights": [0.4, 0.2, 0.4]},
            {"model": "org/embedder", "query": "q", "documents": ["a"], "mode": "colbert"},
        ],
        "/api/embed": [{"model": "m", "input": ["a", "b"], "truncate": True, "dimensions": 2}],
        "/api/embeddings": [{"model": "m", "prompt": "a"}],
        "/api/show": [{"model": "org/embedder:latest"}],
        "/api/pull": [{"name": "org/embedder", "stream": "no"}],
        "/vertex": [
            {"instances": [{"inputs": "a"}, {"inputs": ["b", "c"], "truncate": 0}]},
            {"instances": [{"query": "q", "texts": ["a"]}, {"query": "q", "documents": ["a"]}]},
        ],
    }
    seeds = {}
    for path, examples in bodies.items():
        for i, example in enumerate(examples):
            name = f"{path.strip('/').replace('/', '-').replace(' ', '-') or 'root'}-{i}"
            seeds[name] = path + "\n" + json.dumps(example, ensure_ascii=False)
    for path in ("/health", "/info", "/metrics", "/v1/models", "/v1/models/", "/api/tags"):
        seeds["get-" + path[1:].replace("/", "-")] = path + "\n"
    seeds["repairs"] = '/embed\n\ufeff{"texts":["a"],"x":"\\ud83d","n":123456789012345678901,"texts":["b"]}'
    seeds["escapes"] = '/embed\n{"texts":["\\ud83d\\ude00\\n\\u0000","\\u00e9"],"dimensions":2.0}'
    return seeds


# --- tokenizers


def added(content, **flags):
    token = dict(id=0, content=content, single_word=False, lstrip=False, rstrip=False,
                 normalized=False, special=True)
    return token | flags


def template(single, pair):
    def pieces(names):
        return [{"Sequence": {"id": n, "type_id": int(n == "B")}} if n in "AB" else
                {"SpecialToken": {"id": n, "type_id": 0}} for n in names]
    special = {n: {"id": n, "ids": [i], "tokens": [n]} for i, n in enumerate(["<s>", "</s>"])}
    return {"type": "TemplateProcessing", "single": pieces(single), "pair": pieces(pair),
            "special_tokens": special}


def charsmap():
    """A trie of darts-clone with the one key "a" (its value 0), and the replacement "xy"."""
    units = [0] * 0x100
    units[0] = 1 << 10  # the root's children are at 0 ^ 1
    child = 1 ^ ord("a")
    units[child] = ord("a") | 1 << 8 | (child ^ 0x80) << 10
    units[0x80] = 1 << 31
    blob = struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + b"xy\0"
    return base64.b64encode(blob).decode()


def tokenizer_json():
    unigram = {"type": "Unigram", "unk_id": 2, "byte_fallback": False,
               "vocab": [["<s>", 0], ["</s>", 0], ["<unk>", 0], ["▁", -1], ["a", -2.5],
                         ["▁a", -2], ["лл", -3.25], ["aaaa", -4]]}
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##a", "hello", "##ello", "h", ",", "!", "п",
              "##р", "中"]
    word_piece = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 20, "vocab": {p: i for i, p in enumerate(pieces)}}
    bert = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
            "strip_accents": None, "lowercase": True}
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}

    def document(model, **parts):
        return {"version": "1.0", "model": model} | parts

    documents = {
        "xlm-roberta": document(
            unigram, added_tokens=[added("<s>"), added("<mask>", lstrip=True)],
            normalizer={"type": "Sequence", "normalizers": [
                {"type": "Precompiled", "precompiled_charsmap": charsmap()},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
            pre_tokenizer={"type": "Sequence", "pretokenizers": [
                {"type": "WhitespaceSplit"}, metaspace]},
            post_processor=template(["<s>", "A", "</s>"], ["<s>", "A", "</s>", "</s>", "B", "</s>"]),
            decoder=metaspace),
        "bert": document(
            word_piece, added_tokens=[added("[SEP]"), added("new", normalized=True, rstrip=True,
                                                            single_word=True, special=False)],
            normalizer=bert, pre_tokenizer={"type": "BertPreTokenizer"},
            post_processor={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True}),
        "roberta": document(
            word_piece, normalizer={"type": "Lowercase"}, pre_tokenizer=metaspace,
            post_processor={"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0],
                            "trim_offsets": True, "add_prefix_space": True},
            decoder={"type": "ByteLevel"}),
        "normalizers": document(
            unigram, normalizer={"type": "Sequence", "normalizers": [
                {"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": True},
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": "a"}, "content": "лл"},
                {"type": "StripAccents"}]},
            pre_tokenizer={"type": "Metaspace", "replacement": "_", "add_prefix_space": False,
                           "prepend_scheme": "never", "split": False},
            decoder={"type": "Metaspace", "replacement": "_", "add_prefix_space": True}),
    }
    for form in ("NFC", "NFD", "NFKD"):
        documents[form.lower()] = document(unigram, normalizer={"type": form})
    return {name: json.dumps(value, ensure_ascii=False) for name, value in documents.items()}


def text():
    rng = random.Random(1)
    texts = ["", "Hello, world!", "  two  spaces \t\n", "Пример текста 中文字 한국어 日本語",
             "café café ﬁ Ａ ẞ İ", "👨‍👩‍👧 🇷🇺 क्षि ก็", "<s>[SEP]<mask>[MASK] </s>", "a\0b\0c",
             "word" * 40, "x" * 150, "ё́̈̈ о͜о", " ​﻿�", "1,234.56-78/9"]
    alphabet = "aé中 ́‍👍\n-1"
    texts += ["".join(rng.choice(alphabet) for _ in range(60)) for _ in range(4)]
    seeds = {str(i): bytes([rng.randrange(16), rng.choice([0, 1, 2, 3, 8, 200])]) + t.encode()
             for i, t in enumerate(texts)}
    seeds["not-utf-8"] = b"\x0f\x00ok \xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80"
    return seeds


# --- weights


def safetensors():
    def file(tensors, data, pad=b""):
        header = json.dumps(tensors, separators=(",", ":")).encode() + pad
        return struct.pack("<Q", len(header)) + header + data

    def tensor(dtype, shape, begin, end):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    dtypes = [("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("I64", 8), ("I32", 4), ("I16", 2),
              ("I8", 1), ("U8", 1), ("BOOL", 1)]
    every = {}
    end = 0
    for name, size in dtypes:
        every[name] = tensor(name, [2], end, end + 2 * size)
        end += 2 * size
    return {
        "empty": file({}, b""),
        "two": file({"__metadata__": {"format": "pt"}, "a": tensor("F32", [2, 3], 0, 24),
                     "b": tensor("F16", [2, 1], 24, 28)}, bytes(range(28)), b"   "),
        "scalar-and-nothing": file({"s": tensor("F32", [], 0, 4), "n": tensor("I8", [0, 7], 4, 4)},
                                   bytes(4)),
        "dtypes": file(every, bytes(end)),
    }


class Storage:
    def __init__(self, kind, key, elements):
        self.kind, self.key, self.elements = kind, key, elements


def torch_modules():
    """Modules with torch's names, so that pickle writes those."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for module, names in ((torch, ["FloatStorage", "HalfStorage", "BFloat16Storage", "LongStorage"]),
                          (utils, ["_rebuild_tensor_v2", "_rebuild_parameter"])):
        for name in names:
            def function():
                raise NotImplementedError
            function.__name__ = function.__qualname__ = name
            function.__module__ = module.__name__
            setattr(module, name, function)
    torch._utils = utils
    sys.modules.update({"torch": torch, "torch._utils": utils})
    return torch


class Reduced:
    def __init__(self, callee, *arguments):
        self.call = (callee, arguments)

    def __reduce__(self):
        return self.call


def state_dict_pickle(torch, state_dict, protocol=2):
    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if not isinstance(value, Storage):
                return None
            return ("storage", getattr(torch, value.kind), value.key, "cpu", value.elements)

    out = io.BytesIO()
    Pickler(out, protocol=protocol).dump(state_dict)
    return out.getvalue()


def tensor_of(torch, kind, key, shape, offset=0, elements=None):
    strides = [1]
    for n in reversed(shape[1:]):
        strides.insert(0, strides[0] * n)
    count = strides[0] * shape[0]
    storage = Storage(kind, key, count + offset if elements is None else elements)
    return Reduced(torch._utils._rebuild_tensor_v2, storage, offset, tuple(shape), tuple(strides),
                   False, collections.OrderedDict())


def state_dicts(torch):
    one = collections.OrderedDict(weight=tensor_of(torch, "FloatStorage", "0", [2, 3]))
    parameter = Reduced(torch._utils._rebuild_parameter,
                        tensor_of(torch, "HalfStorage", "1", [4]), True, collections.OrderedDict())
    shared = Storage("BFloat16Storage", "0", 6)
    two = {name: Reduced(torch._utils._rebuild_tensor_v2, shared, offset, (3,), (1,), False,
                         collections.OrderedDict()) for name, offset in (("a", 0), ("b", 3))}
    return {"one": (one, [24]), "two": (two, [12]),
            "nested": ({"epoch": 3, "loss": 0.5, "state_dict": {"bias": parameter}}, [0, 8])}


def torch_archive():
    torch = torch_modules()
    seeds = {"before-1.6": (DATA / "torch-before-1.6.bin").read_bytes()}
    for name, (state_dict, storages) in state_dicts(torch).items():
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            def add(entry, content):
                archive.writestr(zipfile.ZipInfo("m/" + entry), content)
            add("data.pkl", state_dict_pickle(torch, state_dict))
            add("byteorder", "little")
            for key, size in enumerate(storages):
                add(f"data/{key}", bytes(size))
            add("version", "3\n")
        seeds[name] = out.getvalue()
    return seeds


def pickles():
    torch = torch_modules()
    seeds = {}
    for name, (state_dict, _) in state_dicts(torch).items():
        for protocol in (2, 4):
            seeds[f"{name}-{protocol}"] = state_dict_pickle(torch, state_dict, protocol)
    value = {"i": [0, 255, 65535, -1, 2**40, -2**63], "f": 1.5, "n": None, "b": (True, False),
             "t": ((), (1,), (1, 2, 3, 4)), "s": "текст" * 60}
    for protocol in (2, 3, 5):
        seeds[f"values-{protocol}"] = pickle.dumps(value, protocol=protocol)
    cycle = []
    cycle.append((cycle, {"self": cycle}))
    seeds["cycle"] = pickle.dumps(cycle, protocol=2)
    return seeds


# --- models' configurations


def model_config():
    def text_of(path):
        return json.dumps(json.loads((DATA / path).read_text()), separators=(",", ":"))

    config = {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 64,
              "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
              "vocab_size": 600, "max_position_embeddings": 128, "type_vocab_size": 2,
              "layer_norm_eps": 1e-12, "pad_token_id": 0, "hidden_act": "gelu"}
    kinds = ["Transformer", "Pooling", "Dense", "Normalize"]
    modules = [{"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "",
                "type": f"sentence_transformers.models.{kind}"} for i, kind in enumerate(kinds)]
    pooling = {"word_embedding_dimension": 64, "pooling_mode_cls_token": True,
               "pooling_mode_mean_tokens": True}
    dense = {"in_features": 128, "out_features": 32, "bias": True,
             "activation_function": "torch.nn.modules.activation.Tanh"}
    labels = config | {"architectures": ["BertForSequenceClassification"],
                       "id2label": {"0": "no", "1": "yes"}}
    splade = [{"type": "sentence_transformers.models.MLMTransformer", "path": ""},
              {"type": "sentence_transformers.models.SpladePooling", "path": "1_Pooling"}]
    index = {"metadata": {"total_size": 0}, "weight_map": {"a": "weights.safetensors"}}

    def files(*parts):
        return "\0".join(part if isinstance(part, str) else json.dumps(part) for part in parts)

    return {
        "whole": files(config, modules, pooling, dense,
                       {"max_seq_length": 64, "do_lower_case": False},
                       {"model_max_length": 128, "do_lower_case": True},
                       {"prompts": {"query": "query: "}, "default_prompt_name": "query"}, index),
        "names": files(config, modules[:2], {"embedding_dimension": 64, "include_prompt": False,
                                             "pooling_mode": ["lasttoken", "max"]}),
        "classifier": files(labels),
        "num-labels": files(config | {"architectures": ["BertForSequenceClassification"],
                                      "num_labels": 3}),
        "splade": files(config | {"architectures": ["BertForMaskedLM"]}, splade,
                        {"pooling_strategy": "max", "activation_function": "relu"}),
        "bge-m3": files(text_of("bge-m3-files/config.json"), text_of("bge-m3-files/modules.json"),
                        text_of("bge-m3-files/1_Pooling/config.json"), "",
                        text_of("bge-m3-files/sentence_bert_config.json"),
                        {"model_max_length": 1e30}),
        "cross-encoder": files(labels, modules[:1]),
        "nulls": files(config | {"architectures": None, "pad_token_id": None}, modules[:2], pooling,
                       "", {"max_seq_length": 4096, "do_lower_case": True},
                       {"tokenizer_class": "BertTokenizerFast", "truncation_side": "left",
                        "strip_accents": None, "model_input_names": ["input_ids"]},
                       {"prompts": {"query": None}, "truncate_dim": 16}),
        "roberta": files(config | {"model_type": "roberta", "pad_token_id": 1}),
    }


# --- the hub


def hub_answer():
    commit = "00112233445566778899aabbccddeeff00112233"

    def listing(names):
        return "l" + json.dumps({"sha": commit, "siblings": [{"rfilename": n} for n in names]})

    files = ["config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json", "README.md"]
    sha256 = "0123456789abcdef" * 4
    return {
        "listing": listing(files + ["model.safetensors", "onnx/model.onnx", "2_Dense/config.json",
                                    "2_Dense/model.safetensors"]),
        "shards": listing(files + ["pytorch_model.bin.index.json",
                                   "pytorch_model-00001-of-00002.bin",
                                   "pytorch_model-00002-of-00002.bin"]),
        "traversal": listing(files + ["model.safetensors", "1_Pooling/../../x.json", "/etc/passwd"]),
        "head": 'hHTTP/1.1 200 OK\r\nETag: "abc-1"\r\nContent-Length: 12\r\n\r\n',
        "linked": f'hHTTP/2 302\r\nx-linked-etag: W/"{sha256}"\r\nX-Linked-Size: 123456\r\n'
                  "location: https://cdn/a\r\n",
        "continued": "hHTTP/1.1 100 Continue\r\nETag: a\r\nHTTP/1.1 200 OK\r\nno colon\r\netag:b\r\n"
                     "content-length:0\r\n",
        "gated": "hHTTP/1.1 401\r\nx-error-code: GatedRepo\r\n",
        "id": "nBAAI/bge-m3",
        "revision": "nrefs/pr/3",
        "revision-dots": "nv1.0/../x",
    }


# --- what comes over a connection


def http_framing():
    def request(line, headers, body=""):
        return f"{line} HTTP/1.1\r\n" + "".join(h + "\r\n" for h in ("Host: h:1", *headers)) + f"\r\n{body}"

    get = request("GET /health?a=b", [])
    post = request("POST /embed", ["Content-Length: 5", "X-API-Key: k", "Accept: */*"], "hello")
    chunks = "5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"
    return {
        "get": get,
        "pipelined": get + "\r\n" + post + get,
        "chunked": request("POST /a", ["Transfer-Encoding: chunked"], chunks) + get,
        "http10": "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "absolute": request("GET http://h/a?b", ["Connection: close"]),
        "expect": request("POST /a", ["Expect: 100-continue", "Content-Length: 1"], "x"),
        "identity": request("POST /a", ["Transfer-Encoding: identity"], get),
        "gzip": request("POST /a", ["Transfer-Encoding: gzip, chunked"], chunks),
        "encoded": request("POST /a", ["Content-Encoding: gzip", "Content-Length: 5"], "hello"),
        "large": request("POST /a", ["Content-Length: 1001"], "x" * 1001),
        "options": request("OPTIONS *", []),
        "tls": b"\x16\x03\x01\x02\x00\x01",
    }


def main():
    for name, seeds in (("json_body", json_body), ("tokenizer_json", tokenizer_json), ("text", text),
                        ("safetensors", safetensors), ("torch_archive", torch_archive),
                        ("pickle", pickles), ("model_config", model_config),
                        ("hub_answer", hub_answer), ("http_framing", http_framing)):
        write(name, seeds())


if __name__ == "__main__":
    main()
