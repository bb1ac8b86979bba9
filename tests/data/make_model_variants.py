"""What sentence-transformers gives for models that are saved in ways of their own.

    python tests/data/make_model_variants.py     (needs torch, sentence-transformers 6.2, the models)

Writes expected/model_variants.json. Each variant is a model of this folder, or all-MiniLM-L6-v2, with
some files changed: `files` are JSON merge patches (RFC 7396) to its files, a string is the whole file, null
removes one, and `folder` is where what belongs to the transformer is moved to. The test makes the same directory.
"""

import json
import os
import pathlib
import shutil
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "models"
OF_TRANSFORMER = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors",
                  "pytorch_model.bin", "sentence_bert_config.json", "special_tokens_map.json",
                  "added_tokens.json")

MIXED = ["Héllo WORLD, 北京 Ünïted", "Mixed CASE İstanbul"]
WORDS = ["the first words of a text that is cut, and the last words of it"]
PLAIN = ["Пример текста: a few words", "x"]
PAIRS = [["what is a panda?", "The giant panda is a bear."], ["Hello", "world"]]


def modules(*kinds):
    """modules.json; of a kind "Transformer" the path is the directory itself."""
    return [{"idx": i, "name": str(i), "path": "" if kind.endswith("Transformer") else f"{i}_{kind}",
             "type": f"sentence_transformers.{package}.{kind}"}
            for i, (package, kind) in enumerate(kinds)]


TRANSFORMER = ("base.modules.transformer", "Transformer")
POOLING = ("sentence_transformer.modules.pooling", "Pooling")
DROPOUT = ("sentence_transformer.modules.dropout", "Dropout")
SPLADE = ("sparse_encoder.modules.splade_pooling", "SpladePooling")
OLD_TRANSFORMER = ("models", "Transformer")
OLD_POOLING = ("models", "Pooling")



def saved(model_type, task):
    """What sentence-transformers 6.2 leaves besides the modules."""
    return {"config_sentence_transformers.json": {"model_type": model_type, "prompts": {}},
            "sentence_bert_config.json": {
                "transformer_task": task,
                "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
                "module_output_name": "scores" if model_type == "CrossEncoder" else "token_embeddings"}}


ALONE = {"modules.json": modules(TRANSFORMER)} | saved("CrossEncoder", "sequence-classification")


def splade(strategy, activation):
    return saved("SparseEncoder", "fill-mask") | {
            "modules.json": modules(TRANSFORMER, SPLADE),
            "1_SpladePooling/config.json": {"pooling_strategy": strategy,
                                            "activation_function": activation,
                                            "embedding_dimension": None}}


def variant(name, base, texts, files, output="dense", folder=""):
    return {"name": name, "base": base, "output": output, "folder": folder, "files": files,
            "texts": texts}


def tokenizer(**fields):
    return {"tokenizer_config.json": fields}


def token(content, **flags):
    """An added token as tokenizer_config.json and tokenizer.json write it."""
    return {"content": content, "lstrip": False, "rstrip": False, "single_word": False,
            "normalized": False, "special": True} | flags


def decoder(**tokens):
    """An added_tokens_decoder; ids as "id5"."""
    return {"added_tokens_decoder": {name[2:]: value for name, value in tokens.items()}}


def vocabulary_of(base):
    """A vocab.txt of its tokenizer.json's."""
    vocabulary = json.loads((HERE / base / "tokenizer.json").read_text())["model"]["vocab"]
    return "".join(f"{piece}\n" for piece in sorted(vocabulary, key=vocabulary.get))


MINILM = "all-MiniLM-L6-v2"
UNUSED = ["a [unused0] b", "[UNUSED0]", "x [unused1][unused2] [MASK] y [unused5]"]
PLAIN_CLASS = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}
IN_TOKENIZER_JSON = {"tokenizer.json": {"added_tokens": [
    {"id": i, **token(text)} for i, text in ((0, "[PAD]"), (100, "[UNK]"), (101, "[CLS]"),
                                             (102, "[SEP]"), (103, "[MASK]"), (1, "[unused0]"))]}}
VARIANTS = [
    variant("Cased", MINILM, MIXED, tokenizer(do_lower_case=False)),
    variant("CasedWithoutAccents", MINILM, MIXED, tokenizer(do_lower_case=False, strip_accents=True)),
    variant("AccentsKept", MINILM, MIXED, tokenizer(strip_accents=False)),
    variant("ChineseCharactersTogether", MINILM, MIXED, tokenizer(tokenize_chinese_chars=False)),
    variant("TheClassesDefaultsWinOverTheFile", MINILM, MIXED,
            {"tokenizer.json": {"normalizer": {"lowercase": False}},
             "tokenizer_config.json": {"do_lower_case": None}}),
    variant("ThePlainClassKeepsTheFile", MINILM, MIXED,
            {"tokenizer.json": {"normalizer": {"lowercase": False}},
             "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}}),
    variant("AdditionalSpecialTokens", MINILM, UNUSED,
            tokenizer(additional_special_tokens=["[unused0]", "[unused1]"])),
    variant("ExtraSpecialTokens", MINILM, UNUSED,
            tokenizer(additional_special_tokens=["[unused0]"],
                      extra_special_tokens=["[unused1]", token("[unused2]", __type="AddedToken")])),
    variant("ExtraSpecialTokensByName", MINILM, UNUSED,
            tokenizer(extra_special_tokens={"marker": "[unused2]"}, entity_token="[unused0]")),
    variant("AddedTokensDecoder", MINILM, UNUSED,
            tokenizer(**decoder(id2=token("[unused1]", lstrip=True),
                                                    id6=token("[unused5]", rstrip=True)))),
    variant("AddedTokensOfTheFile", MINILM, UNUSED, IN_TOKENIZER_JSON),
    variant("AddedTokensThatAreNormalized", MINILM, ["HELLOx b", "xhello", "hello"],
            tokenizer(**decoder(id1=token("hello", special=False, normalized=True),
                                id2=token("[unused1]")), additional_special_tokens=["[unused0]"])),
    variant("AddedTokensJson", MINILM, UNUSED,
            {"added_tokens.json": {"[unused0]": 1, "[unused5]": 6},
             "special_tokens_map.json": {"additional_special_tokens": ["[unused0]"]}}),
    variant("AddedTokensJsonBesideTheFilesOwn", "tiny-bge-m3", ["a <mask> b", "<mask>"],
            {"added_tokens.json": {"<mask>": 8001}, **tokenizer(added_tokens_decoder=None)}),
    variant("SpecialTokensMap", MINILM, UNUSED,
            {"special_tokens_map.json": {
                "cls_token": token("[unused5]"), "sep_token": "[unused6]",
                "extra_special_tokens": ["[unused1]", {"content": "[unused2]", "lstrip": True}]}}),
    variant("SpecialTokensMapBesideADecoder", MINILM, UNUSED,
            {"special_tokens_map.json": {"cls_token": "[unused5]"},
             **tokenizer(**decoder(id1=token("[unused0]")))}),
    variant("SpecialTokensMapBesideOthers", MINILM, UNUSED, tokenizer(cls_token="[unused5]")),
    variant("OtherClsAndSep", MINILM, UNUSED, {"special_tokens_map.json": None} |
            tokenizer(cls_token="[unused5]", sep_token=token("[unused6]", __type="AddedToken"))),
    variant("OtherUnk", MINILM, ["a \U0001F9FF b"],
            {"special_tokens_map.json": None} | tokenizer(unk_token="[unused5]")),
    variant("SpecialTokensSplit", MINILM, ["a [SEP] b", "[MASK]"],
            tokenizer(split_special_tokens=True)),
    variant("ThePlainClassWithMoreTokens", MINILM, UNUSED,
            tokenizer(**PLAIN_CLASS, additional_special_tokens=["[unused0]"],
                      entity_token="[unused2]", cls_token="[unused5]",
                      **decoder(id2=token("[unused1]", lstrip=True),
                                id103=token("[MASK]", lstrip=True)))),
    variant("OtherBosAndEos", "tiny-bge-m3", ["a<mask>b</s> c", "x"],
            tokenizer(bos_token="<mask>", eos_token="<unk>")),
    variant("OtherClsIsNoBos", "tiny-bge-m3", ["a<mask>b<s> c"], tokenizer(cls_token="<mask>")),
    variant("XlmRobertaWithMoreTokens", "tiny-bge-m3", ["a\u2581deb"],
            tokenizer(additional_special_tokens=["\u2581de"])),
    variant("XlmRobertaPair", "tiny-reranker", PAIRS, ALONE | tokenizer(eos_token="<mask>"),
            "logits"),
    variant("DistilBertsClass", "tiny-classifier", PAIRS,
            ALONE | tokenizer(tokenizer_class="DistilBertTokenizer", pad_token="[PAD]"), "logits"),
    variant("ClassOfConfigJson", MINILM, MIXED,
            {"config.json": {"tokenizer_class": "PreTrainedTokenizerFast"},
             **tokenizer(tokenizer_class=None, do_lower_case=False)}),
    variant("BertWithoutPostProcessor", MINILM, MIXED, {"tokenizer.json": {"post_processor": None}}),
    variant("LimitOfTheTokenizersArguments", MINILM, WORDS,
            {"sentence_bert_config.json": {"tokenizer_args": {"model_max_length": 8}}}),
    variant("LimitOfTheProcessingArguments", MINILM, WORDS,
            {"sentence_bert_config.json": {"processing_kwargs": {"text": {"max_length": 8}}}}),
    variant("LimitByItsOldName", MINILM, WORDS,
            {"sentence_bert_config.json": None, **tokenizer(model_max_length=None, max_len=8)}),
    variant("LimitInAnotherKindsFile", MINILM, WORDS,
            {"sentence_bert_config.json": None,
             "sentence_distilbert_config.json": {"max_seq_length": 8}}),
    variant("LabelsThatAreNumbers", "tiny-classifier", PAIRS,
            {**ALONE, "config.json": {"id2label": {"0": 0, "1": 1, "2": 2},
                                      "label2id": {"0": 0, "1": 1, "2": 2}}}, "logits"),
    variant("CutOnTheLeft", MINILM, WORDS, {"tokenizer_config.json": {"truncation_side": "left"},
                                            "sentence_bert_config.json": {"max_seq_length": 8}}),
    variant("CutOnTheLeftByTokenizerJson", MINILM, WORDS,
            {"tokenizer.json": {"truncation": {"direction": "Left"}},
             "sentence_bert_config.json": {"max_seq_length": 8}}),
    variant("LowerCasedBeforeTheTokenizer", "tiny-bge-m3", MIXED,
            {"sentence_bert_config.json": {"do_lower_case": True}}),
    variant("NoPrefixSpace", "tiny-bge-m3", PLAIN, tokenizer(add_prefix_space=False)),
    variant("PaddingTokensInTheText", "tiny-bge-m3", ["a<pad>b c", "<pad>", "<pad><pad> x"], {}),
    variant("TruncateDim", "tiny-bge-m3", PLAIN,
            {"config_sentence_transformers.json": {"truncate_dim": 64}}),
    variant("GeluNew", "tiny-bge-m3", PLAIN, {"config.json": {"hidden_act": "gelu_new"}}),
    variant("GeluPytorchTanh", "tiny-bge-m3", PLAIN,
            {"config.json": {"hidden_act": "gelu_pytorch_tanh"}}),
    variant("WithoutATokenizerJson", "tiny-classifier", PAIRS,
            {**ALONE, "tokenizer.json": None, "vocab.txt": vocabulary_of("tiny-classifier")}, "logits"),
    variant("FolderOfTheTransformer", "tiny-bge-m3", PLAIN,
            {"modules.json": [{"idx": 0, "name": "0", "path": "0_Transformer",
                               "type": "sentence_transformers.models.Transformer"},
                              *modules(OLD_TRANSFORMER, OLD_POOLING)[1:]]}, folder="0_Transformer"),
    variant("DropoutModules", "tiny-bge-m3", PLAIN,
            {"modules.json": modules(TRANSFORMER, POOLING, DROPOUT),
             "2_Dropout/config.json": {"dropout": 0.2}}),
    variant("ACheckpointOfAMaskedLm", "tiny-splade", PLAIN, {"modules.json": None}),
    variant("AClassifiersCheckpointWithModules", "tiny-classifier", PLAIN,
            {"modules.json": modules(TRANSFORMER, POOLING),
             "1_Pooling/config.json": {"embedding_dimension": 32, "pooling_mode": "cls"}}),
    variant("CrossEncoder", "tiny-reranker", PAIRS, ALONE, "logits"),
    variant("CrossEncoderWithAPrompt", "tiny-reranker", PAIRS,
            {**ALONE, "config_sentence_transformers.json": {
                "model_type": "CrossEncoder", "prompts": {"q": "query: "},
                "default_prompt_name": "q"}}, "logits"),
    variant("ClassifierAsACrossEncoder", "tiny-classifier", PAIRS, ALONE, "logits"),
    variant("WithoutTokenTypes", "tiny-classifier", PAIRS,
            ALONE | tokenizer(model_input_names=["input_ids", "attention_mask"], pad_token="[PAD]"),
            "logits"),
    variant("ThePlainClassHasNoTokenTypes", "tiny-classifier", PAIRS,
            ALONE | tokenizer(tokenizer_class="PreTrainedTokenizerFast", pad_token="[PAD]"),
            "logits"),
    variant("SparseEncoder", "tiny-splade", PLAIN, splade("max", "relu"), "sparse"),
    variant("SparseEncoderOfSums", "tiny-splade", PLAIN, splade("sum", "relu"), "sparse"),
    variant("SparseEncoderOfFewDimensions", "tiny-splade", PLAIN,
            {**splade("max", "relu"),
             "config_sentence_transformers.json": {"model_type": "SparseEncoder", "prompts": {},
                                                   "max_active_dims": 5}}, "sparse"),
    variant("SparseEncoderOfTwoLogarithms", "tiny-splade", PLAIN, splade("max", "log1p_relu"),
            "sparse"),
]


def merged(target, patch):
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merged(target.get(key), value)
    return target


def make(variant, directory):
    base = variant["base"]
    shutil.copytree(MODELS / base if base == MINILM else HERE / base, directory)
    for name, patch in variant["files"].items():
        path = directory / name
        if patch is None:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(exist_ok=True)
        if isinstance(patch, str):
            path.write_text(patch)
            continue
        before = json.loads(path.read_text()) if path.exists() else None
        path.write_text(json.dumps(merged(before, patch)))
    if variant["folder"]:
        (directory / variant["folder"]).mkdir()
        for name in OF_TRANSFORMER:
            if (directory / name).exists():
                (directory / name).rename(directory / variant["folder"] / name)


def compute(variant, directory):
    # Here, for scripts/compare_vectors.py makes the same directories without these packages.
    os.environ["HF_HUB_OFFLINE"] = "1"
    from sentence_transformers import CrossEncoder, SentenceTransformer, SparseEncoder

    texts = variant["texts"]
    if variant["output"] == "logits":
        import torch
        return CrossEncoder(directory).predict(texts, activation_fn=torch.nn.Identity(),
                                               batch_size=1).reshape(len(texts), -1).tolist()
    if variant["output"] == "sparse":
        dense = SparseEncoder(directory).encode(texts, convert_to_sparse_tensor=False, batch_size=1)
        return [{str(int(i)): round(float(row[i]), 6) for i in row.nonzero()} for row in dense.cpu()]
    # One at a time: what a text gives does not depend on padding.
    return SentenceTransformer(directory).encode(
        texts, batch_size=1, normalize_embeddings=True).tolist()


def rounded(value):
    return [rounded(x) for x in value] if isinstance(value, list) else (
        round(value, 7) if isinstance(value, float) else value)


if __name__ == "__main__":
    for each in VARIANTS:
        with tempfile.TemporaryDirectory() as temporary:
            directory = pathlib.Path(temporary) / "model"
            make(each, directory)
            each["expected"] = rounded(compute(each, str(directory)))
    lines = ",\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in VARIANTS)
    (HERE / "expected/model_variants.json").write_text(f"[\n{lines}\n]\n")
