"""What transformers' tokenizer classes give for directories with and without a tokenizer.json.

    python tests/data/make_tokenizer_classes.py     (needs transformers 5.23, sentencepiece, tokenizers)

Writes vocabularies/*/tokenizer.json, what transformers saves of each vocabulary, where there is none, and
expected/tokenizer_classes.json. Each case is a folder of vocabularies/ with some files changed: `files`
are JSON merge patches (RFC 7396), a string is the whole file, null removes one; `renamed` are moved
before that. The test makes the same directory. Ids are AutoTokenizer's, one list a text or pair; types are
those of pairs, where the model is given any; `parts` is what save_pretrained writes, without what depends
on the vocabulary.
"""

import json
import os
import pathlib
import shutil
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
VOCABULARIES = HERE / "vocabularies"

FEW = [
    "Hello, World! It's a test of 123 caf\u00e9s.", "  two  spaces \t\n and lines\n\n ", "", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u0401\u0436",
    "a <s>b</s> [CLS] c[SEP]d <mask> e[MASK]f <pad>[UNK] <unk> g", "\u4e2d\u6587\u5b57\u7b26 \uff21\uff22\u3000x \ufb01 \u2026",
    "x <|endoftext|> y<|im_start|>z <extra_id_0> <extra_id_99>b <NEW> new1 New1x", "na\u00efve \u00dcber \u0130 e\u0301 \u212b",
]
TEXTS = FEW + [
    " ", "\n", "a", "A", "[CLS]", "<s>", "</s></s>", "<mask>", " <mask> x", "x  <mask>", "[MASK].", "the quick brown fox " * 12,
    "def f(x):\n    return {\"a\": x[0] + 1}  # \u2192 b", "if (a != b) { c += d->e; } /* \u00e9 */", "https://example.org/a?b=c&d=e%20f",
    "user@example.com +1 (234) 567-8901", "1,234.56 \u00a3 \u20ac 50% 2\u00b2 \u00bd", "\U0001f600\U0001f469\u200d\U0001f4bb \U0001f1e9\U0001f1ea ok",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645 \u0660\u0661 \ufdfa", "\u05e9\u05dc\u05d5\u05dd", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c \u30ab\u30bf\u30ab\u30ca", "\uc548\ub155 \uc138\uacc4",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5", "\u0391\u0392 \u03a3\u03a3", "Stra\u00dfe \u1e9e", "\u01c5 \u01c4 \ufb00", "\u0000a\u0001b\u007fc\u0085d", "a\u00a0b\u2003c\u2028d\ufeffe\u200bf",
    "tab\tseparated\tvalues", "line one\r\nline two\rline three", "trailing   ", "   leading", "many\n\n\n\nlines", "don't I'll we've SHE'S 're",
    "``quoted'' ''text``", "don\u2019t \u201cquote\u201d \u2014 dash", "a\u0301\u0323 o\u0308\u0304 \u1e69", "\ufffd\ufffe \ue000", "\u2581x \u2581\u2581y", "##ing ##", "\u0120a \u010a",
    "word" * 40, "\u0436" * 30, "a" * 120, "<0x0A> <0x41>", "< s > <S> [cls] [Mask] <MASK>", "a<s", "\t<mask>\n<mask>  </s>",
    "(a)-(b) \u00a3-", "\U00010348\U000e0100",
]
PAIRS = [["what is a panda?", "The giant panda is a bear."], ["Hello", ""], ["", ""], [" a ", " b <mask> c"],
         ["\u041f\u0440\u0438\u043c\u0435\u0440 \u043f\u0430\u0440\u044b", "\u0432\u0442\u043e\u0440\u043e\u0439 </s> [SEP] \u0442\u0435\u043a\u0441\u0442"]]


def token(content, **flags):
    return {"content": content, "lstrip": False, "rstrip": False, "single_word": False, "normalized": False,
            "special": True} | flags


def named(content, **flags):
    """A token with a name in tokenizer_config.json."""
    return {"__type": "AddedToken"} | token(content, **flags)


def case(name, base, model_type, files, every=False, renamed=None):
    return {"name": name, "base": base, "renamed": renamed or {}, "every": every,
            "files": {"config.json": {"model_type": model_type}} | files}


def old(name, base, model_type, config=None, every=False, renamed=None, **files):
    """Without a tokenizer.json. Files by their names with "_" for ".", but for the two of all."""
    return case(name, base, model_type, {"tokenizer.json": None, "tokenizer_config.json": config} | files.pop("files", {}),
                every, renamed)


def new(name, base, model_type, config=None, document=None, every=False, **files):
    """With one, of which some is changed."""
    return case(name, base, model_type, {"tokenizer_config.json": config} | ({"tokenizer.json": document} if document else {})
                | files.pop("files", {}), every)


def decoder(**tokens):
    """An added_tokens_decoder; ids as "id5"."""
    return {"added_tokens_decoder": {name[2:]: value for name, value in tokens.items()}}


# What a class makes no use of.
OTHER_STEPS = {"normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "WhitespaceSplit"},
               "post_processor": None, "decoder": None}
MAP = {"additional_special_tokens": ["<NEW>"], "mask_token": token("<mask>", lstrip=True)}
BERT_MAP = {"additional_special_tokens": ["<NEW>"], "mask_token": token("[MASK]", lstrip=True),
            "unk_token": "[UNK]", "cls_token": "[CLS]"}
ADDED = {"New1": 3000, "<NEW>": 3001}
TINY_VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "a", "##a", "test", "it", "##s", "'", "s", "x", "c"]


def wordpiece_cases():
    yield old("Bert", "bert", "bert", every=True)
    yield old("BertCased", "bert", "bert", {"do_lower_case": False})
    yield old("BertWithAccents", "bert", "bert", {"tokenizer_class": "BertTokenizerFast", "strip_accents": False})
    yield old("BertCasedWithoutAccents", "bert", "bert", {"strip_accents": True, "do_lower_case": False})
    yield old("BertChineseTogether", "bert", "bert", {"tokenize_chinese_chars": False})
    yield old("BertWithTokensOfFiles", "bert", "bert", files={"special_tokens_map.json": BERT_MAP,
                                                             "added_tokens.json": ADDED})
    yield old("BertWithADecoder", "bert", "bert", {
        "tokenizer_class": "BertTokenizer", "cls_token": "[SEP]", "sep_token": named("[CLS]"),
        **decoder(id4=token("[MASK]", rstrip=True), id2000=token("New1", special=False, normalized=True))})
    yield old("BertOfWindows", "bert", "bert", files={"vocab.txt": "\r\n".join(TINY_VOCAB) + "\r\n"})
    yield old("BertWithEmptyLinesAndRepeatedOnes", "bert", "bert",
              files={"vocab.txt": "\n".join(TINY_VOCAB[:6] + ["", "hello", " ", "test \u3000", *TINY_VOCAB, "\u2028x"])})
    yield old("BertWithoutItsTokens", "bert", "bert", files={"vocab.txt": "\n".join(["[UNK]", *TINY_VOCAB[5:]]) + "\n"})
    yield old("BertWithAByteOrderMark", "bert", "bert", files={"vocab.txt": "\ufeff" + "\n".join(TINY_VOCAB)})
    yield old("DistilBertByItsClass", "bert", "distilbert", {"tokenizer_class": "DistilBertTokenizer"})
    yield old("DistilBertByItsType", "bert", "distilbert")
    yield old("Electra", "bert", "electra", {"tokenizer_class": "ElectraTokenizer", "do_lower_case": False})
    yield old("Mpnet", "mpnet", "mpnet", every=True)
    yield old("MpnetCased", "mpnet", "mpnet", {"do_lower_case": False, "tokenizer_class": "MPNetTokenizer"})
    yield old("MpnetWithTokensOfFiles", "mpnet", "mpnet", files={"special_tokens_map.json": MAP, "added_tokens.json": ADDED})
    yield old("MpnetWithAnotherMask", "mpnet", "mpnet", {"mask_token": "<unk>", "cls_token": "<pad>"})

    steps = OTHER_STEPS | {"model": {"unk_token": "[PAD]", "max_input_chars_per_word": 3, "continuing_subword_prefix": "@@"}}
    yield new("BertMakesItsSteps", "bert", "bert", {"tokenizer_class": "BertTokenizer"}, steps)
    yield new("ThePlainClassTakesTheSteps", "bert", "bert", {"tokenizer_class": "PreTrainedTokenizerFast"},
              {"normalizer": {"type": "Lowercase"}, "post_processor": None})
    yield new("AFamilyWithoutAClassTakesTheSteps", "bert", "modernbert", {"tokenizer_class": "BertTokenizer"},
              {"normalizer": {"type": "Lowercase"}, "post_processor": None})
    yield new("AnUnknownClassTakesTheSteps", "bert", "bert", {"tokenizer_class": "OwnTokenizer"},
              {"normalizer": {"type": "Lowercase"}, "post_processor": None})
    yield new("BertByItsType", "bert", "bert", None, {"normalizer": {"lowercase": False}})
    yield new("BertDropsTheDocumentsTokens", "bert", "bert", {"tokenizer_class": "BertTokenizer", **decoder(
        id4=token("[MASK]"), id729=token("New1", special=False, normalized=True))},
        {"added_tokens": [{"id": 4, **token("[MASK]", lstrip=True)}, {"id": 729, **token("<NEW>")}]})
    yield new("BertTakesTheDocumentsTokens", "bert", "bert", {"tokenizer_class": "BertTokenizer"},
              {"added_tokens": [{"id": 4, **token("[MASK]", lstrip=True)}, {"id": 729, **token("<NEW>")}]},
              files={"added_tokens.json": {"New1": 729, "y": 730}})
    yield new("MpnetMakesItsSteps", "mpnet", "mpnet", {"tokenizer_class": "MPNetTokenizer", "do_lower_case": False}, steps)
    yield new("DistilBertMakesItsSteps", "bert", "distilbert", {"tokenizer_class": "DistilBertTokenizerFast"}, steps)


def bpe_cases():
    yield old("Roberta", "roberta", "roberta", every=True)
    yield old("RobertaWithASpaceBefore", "roberta", "roberta", {"add_prefix_space": True, "trim_offsets": False})
    yield old("RobertaWithTokensOfFiles", "roberta", "roberta", files={"special_tokens_map.json": MAP, "added_tokens.json": ADDED})
    yield old("Gpt2", "roberta", "gpt2", every=True)
    yield old("Gpt2WithBosAndEos", "roberta", "gpt2", {"add_bos_token": True, "add_eos_token": True, "bos_token": "<s>",
                                                       "eos_token": "</s>", "add_prefix_space": True})
    yield old("Gpt2ByItsClass", "roberta", "t5", {"tokenizer_class": "GPT2Tokenizer", "eos_token": "</s>", "add_eos_token": True})
    qwen = decoder(id800=token("<|im_start|>", lstrip=True), id5=token("<|endoftext|>", rstrip=True),
                   id801=token("<NEW>", special=False))
    yield old("Qwen2", "roberta", "qwen3", {"tokenizer_class": "Qwen2Tokenizer", "additional_special_tokens": ["<|im_start|>"],
                                            **qwen}, every=True)
    yield old("Qwen2WithEos", "roberta", "qwen3", {"add_eos_token": True, "pad_token": None})
    yield old("Llama", "llama", "llama", {"tokenizer_class": "LlamaTokenizer"}, every=True)
    yield old("LlamaLegacy", "llama", "llama", {"tokenizer_class": "LlamaTokenizer", "legacy": True, "add_bos_token": True})
    yield old("LlamaWithoutASpaceBefore", "llama", "llama", {"tokenizer_class": "LlamaTokenizerFast", "add_prefix_space": False,
                                                             "add_bos_token": False, "add_eos_token": True})
    yield old("LlamaByItsType", "llama", "llama", every=True)
    yield old("Mistral", "llama", "mistral", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True,
                                             **decoder(id1=token("<s>"), id2=token("</s>"), id900=token("<NEW>"))})
    yield old("Gemma", "gemma", "gemma3_text", every=True)
    yield old("GemmaWithBos", "gemma", "gemma2", {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True, "add_eos_token": False,
                                                  "additional_special_tokens": ["<start_of_turn>", "<end_of_turn>"]})

    options = {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True, "ignore_merges": True}
    yield new("RobertaMakesItsSteps", "roberta", "roberta", {"tokenizer_class": "RobertaTokenizer"}, OTHER_STEPS | {"model": options})
    yield new("RobertaWithADocumentAndASpaceBefore", "roberta", "roberta", {"tokenizer_class": "RobertaTokenizerFast", "add_prefix_space": True})
    eos = {"type": "TemplateProcessing", "special_tokens": {"</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}},
           "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
           "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                    {"SpecialToken": {"id": "</s>", "type_id": 1}}],
           # Without RoBERTa's fields, by which it would be taken for RobertaProcessing.
           "sep": None, "cls": None, "trim_offsets": None, "add_prefix_space": None}
    yield new("Gpt2TakesTheDocumentsEnds", "roberta", "gpt2", {"tokenizer_class": "GPT2TokenizerFast", "add_bos_token": True},
              OTHER_STEPS | {"post_processor": eos, "model": options})
    yield new("Qwen2TakesTheDocumentsEnds", "roberta", "qwen3", {"tokenizer_class": "Qwen2Tokenizer", "add_eos_token": False},
              OTHER_STEPS | {"post_processor": eos, "model": options})
    yield new("Qwen2OfAnotherName", "roberta", "qwen2", {"tokenizer_class": "GPT2Tokenizer"}, OTHER_STEPS)
    yield new("LlamaOfBytes", "roberta", "llama", {"tokenizer_class": "LlamaTokenizer"}, {"post_processor": eos})
    yield new("LlamaMakesItsSteps", "llama", "llama", {"tokenizer_class": "LlamaTokenizer", "add_eos_token": True},
              OTHER_STEPS | {"model": {"byte_fallback": False, "fuse_unk": False, "unk_token": "<unk>"}})
    yield new("MistralTakesTheDocument", "llama", "mistral", {"tokenizer_class": "LlamaTokenizer"},
              {"normalizer": {"type": "Sequence", "normalizers": [
                  {"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
               "pre_tokenizer": None})
    yield new("GemmaTakesTheDocumentsEnds", "gemma", "gemma3_text", {"tokenizer_class": "GemmaTokenizer"},
              {"normalizer": {"type": "Lowercase"}, "pre_tokenizer": None, "post_processor": eos})


def unigram_cases():
    xlm = "XLMRobertaTokenizer"
    yield old("XlmRoberta", "xlm-roberta", "xlm-roberta", every=True)
    yield old("XlmRobertaWithoutASpaceBefore", "xlm-roberta", "xlm-roberta", {"tokenizer_class": xlm, "add_prefix_space": False})
    yield old("XlmRobertaWithTokensOfFiles", "xlm-roberta", "xlm-roberta", {"additional_special_tokens": []},
              files={"special_tokens_map.json": MAP, "added_tokens.json": ADDED})
    yield old("XlmRobertaWithOtherTokens", "xlm-roberta", "xlm-roberta",
              {"tokenizer_class": xlm + "Fast", "bos_token": "<new>", "mask_token": named("<MASK>", lstrip=True), "eos_token": "</S>"})
    yield old("Camembert", "camembert", "camembert", every=True)
    yield old("CamembertWithoutASpaceBefore", "camembert", "camembert", {"tokenizer_class": "CamembertTokenizer", "add_prefix_space": False,
                                                                        "additional_special_tokens": ["<NEW>"]})
    yield old("Albert", "albert", "albert", every=True)
    yield old("AlbertCasedWithAccents", "albert", "albert", {"do_lower_case": False, "keep_accents": True, "remove_space": False,
                                                             "tokenizer_class": "AlbertTokenizer"})
    yield old("AlbertWithBosAlone", "albert", "albert", {"add_bos_token": True, "add_prefix_space": False})
    yield old("AlbertWithoutAList", "albert", "albert", {"extra_special_tokens": []})
    yield old("T5", "t5", "t5", every=True)
    yield old("T5WithFewSentinels", "t5", "mt5", {"tokenizer_class": "T5Tokenizer", "extra_ids": 3, "add_bos_token": True})
    yield old("T5WithoutSentinels", "t5", "t5", {"extra_ids": 0, "eos_token": "<extra_id_5>"})
    yield old("T5WithTokensOfFiles", "t5", "t5", {"extra_ids": 2}, files={"special_tokens_map.json": {
        "additional_special_tokens": ["<extra_id_0>", "<extra_id_1>"], "eos_token": "</s>"}})
    yield old("DebertaV2", "deberta-v2", "deberta-v2", every=True)
    yield old("DebertaV2LowerCase", "deberta-v2", "deberta-v2", {"tokenizer_class": "DebertaV2Tokenizer", "do_lower_case": True,
                                                                 "add_prefix_space": False})
    yield old("DebertaV2SplitAtPunctuation", "deberta-v2", "deberta-v2", {"split_by_punct": True})
    yield old("DebertaV2OfOtherPieces", "t5", "deberta-v2", {"unk_token": "<unk>"}, renamed={"spiece.model": "spm.model"})
    yield old("ATokenizerModelWithoutAClass", "t5", "modernbert", {"add_bos_token": True, "add_eos_token": True},
              renamed={"spiece.model": "tokenizer.model"})
    yield old("ATokenizerModelForItsClass", "xlm-roberta", "xlm-roberta", renamed={"sentencepiece.bpe.model": "tokenizer.model"})

    steps = {"pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None, "model": {"unk_id": 7}}
    lower = {"normalizer": {"type": "Lowercase"}}
    with_map = {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, "the charsmap"]}}
    yield new("XlmRobertaWithADocument", "xlm-roberta", "xlm-roberta", {"tokenizer_class": xlm, "add_prefix_space": False})
    yield new("CamembertMakesItsSteps", "camembert", "camembert", {"tokenizer_class": "CamembertTokenizer"}, steps | with_map)
    yield new("CamembertWithoutACharsmap", "camembert", "camembert", {"additional_special_tokens": ["<NEW>"]}, steps | lower)
    yield new("AlbertMakesItsSteps", "albert", "albert", {"tokenizer_class": "AlbertTokenizerFast", "keep_accents": True}, steps | with_map)
    around = {"type": "BertProcessing", "sep": ["[MASK]", 4], "cls": ["<pad>", 0]}
    yield new("AlbertTakesTheDocumentsEnds", "albert", "albert", {"do_lower_case": False}, {"post_processor": None} | lower)
    yield new("AlbertTakesOtherEnds", "albert", "albert", {"add_bos_token": True},
              {"post_processor": {"special_tokens": None, "single": None, "pair": None} | around})
    yield new("T5MakesItsSteps", "t5", "t5", {"tokenizer_class": "T5TokenizerFast", "extra_ids": 10}, steps | with_map)
    yield new("T5WithADecoder", "t5", "t5", {"extra_special_tokens": ["<extra_id_0>"], **decoder(
        id0=token("<pad>"), id1=token("</s>"), id2=token("<unk>"), id999=token("<extra_id_0>", lstrip=True))}, lower)
    yield new("DebertaV2MakesItsSteps", "deberta-v2", "deberta-v2", {"tokenizer_class": "DebertaV2TokenizerFast", "split_by_punct": True},
              steps | lower)
    yield new("DebertaV2WithAnUnkId", "deberta-v2", "deberta-v2", {"unk_token": "[CLS]", "unk_id": 5, "do_lower_case": True}, lower)
    yield new("ThePlainClassOfUnigram", "t5", "t5", {"tokenizer_class": "PreTrainedTokenizerFast"}, lower)


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


def make(case, directory):
    shutil.copytree(VOCABULARIES / case["base"], directory)
    for before, after in case["renamed"].items():
        (directory / before).rename(directory / after)
    for name, patch in case["files"].items():
        path = directory / name
        if patch is None:
            path.unlink(missing_ok=True)
        elif isinstance(patch, str):
            path.write_text(patch, encoding="utf-8", newline="")
        else:
            before = json.loads(path.read_text()) if path.exists() else None
            path.write_text(json.dumps(merged(before, patch)))


def fill_in_charsmap(case):
    """Makes "the charsmap" of a patch what the folder's tokenizer.json has."""
    document = case["files"].get("tokenizer.json")
    steps = ((document or {}).get("normalizer") or {}).get("normalizers", [])
    if "the charsmap" not in steps:
        return
    normalizer = json.loads((VOCABULARIES / case["base"] / "tokenizer.json").read_text())["normalizer"]
    for step in normalizer.get("normalizers", [normalizer]):
        if step["type"] == "Precompiled":
            steps[steps.index("the charsmap")] = step


def parts_of(tokenizer):
    with tempfile.TemporaryDirectory() as directory:
        tokenizer.save_pretrained(directory)
        document = json.loads((pathlib.Path(directory) / "tokenizer.json").read_text())
    model = {name: value for name, value in document["model"].items() if name not in ("vocab", "merges")}
    return {"model": model} | {name: document[name] for name in ("normalizer", "pre_tokenizer", "decoder")}


def compute(case, directory):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(directory)
    texts = TEXTS if case["every"] else FEW
    # As lists: of a pair alone an empty second text would be none.
    pairs = tokenizer(*map(list, zip(*PAIRS)))
    case["ids"] = [tokenizer(text)["input_ids"] for text in texts]
    case["pairs"] = pairs["input_ids"]
    case["types"] = pairs.get("token_type_ids")
    case["parts"] = parts_of(tokenizer)
    case["vocab_size"] = len(tokenizer)


def save_documents():
    """vocabularies/*/tokenizer.json."""
    from transformers import AutoTokenizer

    types = {"gemma": "gemma3_text"}
    classes = {"llama": "LlamaTokenizer"}
    for folder in sorted(VOCABULARIES.iterdir()):
        if (folder / "tokenizer.json").exists():
            continue
        with tempfile.TemporaryDirectory() as temporary:
            directory = pathlib.Path(temporary) / "model"
            config = {"tokenizer_class": classes[folder.name]} if folder.name in classes else None
            make(old("", folder.name, types.get(folder.name, folder.name), config), directory)
            AutoTokenizer.from_pretrained(directory).save_pretrained(directory / "saved")
            document = json.loads((directory / "saved/tokenizer.json").read_text())
        (folder / "tokenizer.json").write_text(
            json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def main():
    os.environ["HF_HUB_OFFLINE"] = "1"
    save_documents()
    cases = [*wordpiece_cases(), *unigram_cases(), *bpe_cases()]
    for each in cases:
        fill_in_charsmap(each)
        with tempfile.TemporaryDirectory() as temporary:
            directory = pathlib.Path(temporary) / "model"
            make(each, directory)
            try:
                compute(each, directory)
            except Exception as error:
                raise RuntimeError(each["name"]) from error
    lines = ",\n".join(json.dumps(each, ensure_ascii=True, separators=(",", ":")) for each in cases)
    head = json.dumps({"texts": TEXTS, "few": len(FEW), "pairs": PAIRS})[:-1]
    (HERE / "expected/tokenizer_classes.json").write_text(f"{head},\n\"cases\": [\n{lines}\n]}}\n")


if __name__ == "__main__":
    main()
