"""Seeds of models' JSON files, and of what the hub says of them."""

import json
import pathlib

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"


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

    # Encoders of every family, and what their configs have besides in the repositories' forms.
    families = ("distilbert", "mpnet", "modernbert", "electra", "albert", "nomic", "nomic_hub", "nomic_moe", "gte",
                "gte_hub", "t5", "ce_deberta_v3", "ce_deberta_v2",
                "ce_deberta_v2_convolution", "ernie", "mt5")
    scaled = {
        "llama3": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                   "original_max_position_embeddings": 64},
        "yarn": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
    }
    gte = json.loads((DATA / "families/gte_hub/config.json").read_text())

    return {
        **{f"family-{name}": files(text_of(f"families/{name}/config.json")) for name in families},
        **{f"rope-{name}": files(gte | {"rope_scaling": rope}) for name, rope in scaled.items()},
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


def message_template():
    cases = json.loads((DATA / "templates.json").read_text())
    return {case["name"].replace("_", "-"): case["template"] for case in cases}


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
