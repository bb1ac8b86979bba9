"""The cases of make_bad_models.py that are wrong in their JSON files: configuration and tokenizer."""

import json

from weight_files import safetensors


def add_config_cases(corpus):
    hidden_size = corpus.config["hidden_size"]
    corpus.add("config_missing", r"config\.json: cannot open", {"config.json": None})
    corpus.add("config_empty", r"config\.json: the file is empty", {"config.json": b""})
    corpus.add("config_not_json", r"config\.json: not valid JSON", {"config.json": b"{not json"})
    corpus.add("config_is_a_list", r"config\.json: must be a JSON object", {"config.json": []})
    corpus.add(
        "config_nested",
        r"config\.json: nested more than 64 levels",
        {"config.json": b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}"},
    )
    add = corpus.add_config
    add("model_type_unknown", r'model_type "gpt2" is not supported', model_type="gpt2")
    add("activation_unsupported", r'hidden_act "mish" is not supported', hidden_act="mish")
    add("positions_relative", r'position_embedding_type "relative_key"',
        position_embedding_type="relative_key")
    add("decoder", r"is_decoder is true", is_decoder=True)
    add("hidden_size_negative", r"hidden_size must be .* but it is -64", hidden_size=-64)
    add("hidden_size_float", r"hidden_size must be an integer", hidden_size=float(hidden_size))
    add("hidden_size_null", r"hidden_size must be .* but it is null", hidden_size=None)
    add("layers_absurd", r"num_hidden_layers must be", num_hidden_layers=10**9)
    add("layers_more_than_weights", r"encoder\.layer\..* is missing",
        num_hidden_layers=corpus.config["num_hidden_layers"] + 1)
    add("heads_not_dividing", r"hidden_size .* is not a multiple of num_attention_heads 3",
        num_attention_heads=3)
    add("vocab_size_not_that_of_weights", r"word_embeddings.* must have shape .* but it has",
        vocab_size=corpus.config["vocab_size"] + 1)
    corpus.add(
        "hidden_size_not_that_of_weights",
        r"embeddings.* must have shape .* but it has",
        {
            "config.json": {**corpus.config, "hidden_size": 2 * hidden_size},
            "1_Pooling/config.json": {"word_embedding_dimension": 2 * hidden_size},
        },
    )


def add_module_cases(corpus):
    hidden_size = corpus.config["hidden_size"]
    corpus.add(
        "transformer_alone",
        r"modules\.json: has a Transformer alone, .*a Pooling is needed",
        {"modules.json": corpus.modules[:1]},
    )
    corpus.add(
        "pooling_missing", r"1_Pooling/config\.json: cannot open", {"1_Pooling/config.json": None}
    )
    corpus.add(
        "pooling_width_wrong",
        r"word_embedding_dimension is .* but config\.json's hidden_size is",
        {"1_Pooling/config.json": {"word_embedding_dimension": hidden_size + 1}},
    )
    corpus.add(
        "pooling_mode_unknown",
        r'pooling_mode "median" is not supported',
        {"1_Pooling/config.json": {"embedding_dimension": hidden_size, "pooling_mode": "median"}},
    )
    corpus.add(
        "module_with_code",
        r'module 1: type "custom_st\.Pooling" is not of sentence_transformers',
        {"modules.json": [corpus.modules[0], {**corpus.modules[1], "type": "custom_st.Pooling"}]},
    )
    corpus.add(
        "module_outside",
        r"module 1: path .* leads out of the model's directory",
        {"modules.json": [corpus.modules[0], {**corpus.modules[1], "path": "../good/1_Pooling"}]},
    )


def add_label_and_prompt_cases(corpus):
    classifier = {**corpus.config, "architectures": ["XLMRobertaForSequenceClassification"]}
    corpus.add(
        "classifier_labels",
        r"config\.json: id2label must be",
        {"config.json": {**classifier, "id2label": {"1": "x"}}},
    )
    prompts = "config_sentence_transformers.json"
    corpus.add("prompts_wrong", r"prompts must be", {prompts: {"prompts": {"query": 1}}})
    corpus.add(
        "default_prompt_unknown",
        r"default_prompt_name must be",
        {prompts: {"prompts": {}, "default_prompt_name": "passage"}},
    )


def add_tokenizer_cases(corpus):
    tokenizer = (corpus.base / "tokenizer.json").read_bytes()
    corpus.add("tokenizer_missing", r"tokenizer\.json", {"tokenizer.json": None})
    corpus.add("tokenizer_empty", r"tokenizer\.json", {"tokenizer.json": b""})
    corpus.add(
        "tokenizer_truncated",
        r"tokenizer\.json",
        {"tokenizer.json": tokenizer[: len(tokenizer) // 2]},
    )
    rows = corpus.config["vocab_size"] // 2
    table = corpus.tensors[corpus.word_embeddings][:rows]
    corpus.add(
        "tokenizer_larger_than_model",
        r"tokenizer.*vocab_size",
        {
            "config.json": {**corpus.config, "vocab_size": rows},
            "model.safetensors": safetensors({**corpus.tensors, corpus.word_embeddings: table}),
        },
    )


def add_table_cases(corpus):
    """Tokenizers that give what the model's tables have no row for."""
    types = corpus.config["type_vocab_size"]
    positions = corpus.config["max_position_embeddings"]
    classifier = {
        **corpus.config,
        "architectures": ["XLMRobertaForSequenceClassification"],
        "id2label": {"0": "x"},
    }

    def add(case, error, change, config=corpus.config):
        tokenizer = json.loads((corpus.base / "tokenizer.json").read_text(encoding="utf-8"))
        change(tokenizer)
        # The list of modules would make an encoder of a classifier's checkpoint.
        alone = {"modules.json": corpus.modules[:1]} if config is classifier else {}
        # XLM-RoBERTa's class puts a post-processor of its own in the place of the file's.
        settings = json.loads((corpus.base / "tokenizer_config.json").read_text(encoding="utf-8"))
        settings |= {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        }
        corpus.add(
            case,
            error,
            {
                "tokenizer.json": tokenizer,
                "tokenizer_config.json": settings,
                "config.json": config,
                **alone,
            },
        )

    def set_type(name):
        def change(tokenizer):
            # The last piece of a template is a special token.
            tokenizer["post_processor"][name][-1]["SpecialToken"]["type_id"] = types

        return change

    def add_special_tokens(tokenizer):
        single = tokenizer["post_processor"]["single"]
        single += [single[0]] * positions

    def set_special_id(tokenizer):
        special = next(iter(tokenizer["post_processor"]["special_tokens"].values()))
        special["ids"] = [10**6]

    beyond = rf"the type {types}, but config\.json's type_vocab_size is {types}"
    add("type_beyond_table", rf"tokens of a text {beyond}", set_type("single"))
    add("pair_type_beyond_table", rf"tokens of a pair {beyond}", set_type("pair"), classifier)
    add(
        "special_tokens_beyond_positions",
        rf"special tokens to a text, .*max_position_embeddings is {positions}",
        add_special_tokens,
    )
    vocab_size = corpus.config["vocab_size"]
    add("special_id_beyond_table", rf"ids up to 1000000, .*vocab_size is {vocab_size}", set_special_id)


def add_cases(corpus):
    add_config_cases(corpus)
    add_module_cases(corpus)
    add_label_and_prompt_cases(corpus)
    add_tokenizer_cases(corpus)
    add_table_cases(corpus)
