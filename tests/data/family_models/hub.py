"""Models as the hub's repositories have them, written for code of their own: other configs, other names of tensors,
modules.json of sentence-transformers 3. The numbers are those of the same weights in transformers' classes.
"""

import json
import pathlib
import shutil
import tempfile

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, GteForTokenClassification

from .layout import (F32, FAMILIES, TEXTS, SentenceTransformer, complete, dense_rows, write_json,
                     write_references)
from .rotary import GTE_FACTOR, GTE_THETA, NOMIC_PROMPTS
from .weights import randomize_tensors


def write(name, tokenizer, config, tensors, *, pooling, limit=96, prompts=None, tokenizer_class, lower_case=False,
          kinds=("Transformer", "Pooling", "Normalize"), more=None):
    directory = FAMILIES / name
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "1_Pooling").mkdir(parents=True)
    write_json(directory / "config.json", config, indent=2)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, directory / "model.safetensors",
              {"format": "pt"})
    (directory / "model.safetensors").chmod(0o644)
    write_json(directory / "modules.json", [
        {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": f"sentence_transformers.models.{kind}"}
        if "." not in kind else
        {"idx": i, "name": "transformer", "path": "", "type": kind, "kwargs": ["task"]}
        for i, kind in enumerate(kinds)], indent=2)
    write_json(directory / "sentence_bert_config.json", {"max_seq_length": limit, "do_lower_case": lower_case}, indent=2)
    modes = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
    write_json(directory / "1_Pooling/config.json", {"word_embedding_dimension": 32} | {
        f"pooling_mode_{mode}": mode.startswith(pooling + "_t") for mode in modes}, indent=2)
    write_json(directory / "tokenizer_config.json", {"tokenizer_class": tokenizer_class, **(more or {})}, indent=2)
    if prompts:
        write_json(directory / "config_sentence_transformers.json", {
            "__version__": {"sentence_transformers": "3.1.0", "transformers": "4.41.2", "pytorch": "2.3.1+cu121"},
            "prompts": prompts, "default_prompt_name": None}, indent=2)
    return directory


def like(directory, tokenizer, name, check=True):
    """The references are those of another form of the model."""
    write_json(directory / "references.json", {"tokenizer": tokenizer, "like": name})
    if not check:
        return
    rows = json.loads((FAMILIES / name / "references.json").read_text())["series"][0]["rows"]
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(directory, tokenizer, pathlib.Path(temporary) / "model")
        loaded = AutoTokenizer.from_pretrained(path)
    limit = json.loads((directory / "sentence_bert_config.json").read_text()).get("max_seq_length")
    for text, row in zip(TEXTS, rows):
        ids = loaded(text, truncation=True, max_length=limit or loaded.model_max_length)["input_ids"]
        assert ids == row["ids"], text


SPECIAL = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "unk_token": "<unk>",
           "pad_token": "<pad>", "mask_token": "<mask>"}


def gte_hub():
    tensors = {key.replace("gte.", "new.", 1): tensor
               for key, tensor in load_file(FAMILIES / "gte/model.safetensors").items()}
    config = {
        "architectures": ["NewForTokenClassification"], "attention_probs_dropout_prob": 0.0, "auto_map": {
            "AutoConfig": "configuration.NewConfig", "AutoModel": "modeling.NewModel",
            "AutoModelForTokenClassification": "modeling.NewForTokenClassification"},
        "classifier_dropout": 0.0, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 32,
        "id2label": {"0": "LABEL_0"}, "initializer_range": 0.02, "intermediate_size": 48,
        "label2id": {"LABEL_0": 0}, "layer_norm_eps": 1e-12, "layer_norm_type": "layer_norm",
        "logn_attention_clip1": False, "logn_attention_scale": False, "max_position_embeddings": 256,
        "model_type": "new", "num_attention_heads": 4, "num_hidden_layers": 2, "pack_qkv": True, "pad_token_id": 1,
        "position_embedding_type": "rope", "rope_scaling": {"factor": GTE_FACTOR, "type": "ntk"},
        "rope_theta": GTE_THETA, "torch_dtype": "float16", "transformers_version": "4.39.1", "type_vocab_size": 1,
        "unpad_inputs": False, "use_memory_efficient_attention": False, "vocab_size": 642}
    like(write("gte_hub", "xlm_roberta", config, tensors, pooling="cls",
               tokenizer_class="XLMRobertaTokenizerFast", more=SPECIAL | {"model_max_length": 32768}),
         "xlm_roberta", "gte")


def gte_unpacked():
    """By transformers' names of its own, with q, k and v apart."""
    directory = FAMILIES / "gte_unpacked"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(FAMILIES / "gte", directory)
    model = GteForTokenClassification.from_pretrained(FAMILIES / "gte", dtype=torch.float16)
    model.save_pretrained(directory, save_original_format=False)
    (directory / "model.safetensors").chmod(0o644)
    like(directory, "xlm_roberta", "gte")


def nomic_config(**more):
    return {
        "activation_function": "swiglu", "architectures": ["NomicBertModel"], "attn_pdrop": 0.0, "auto_map": {
            "AutoConfig": "nomic-ai/nomic-bert-2048--configuration_hf_nomic_bert.NomicBertConfig",
            "AutoModel": "nomic-ai/nomic-bert-2048--modeling_hf_nomic_bert.NomicBertModel"},
        "bos_token_id": None, "causal": False, "dense_seq_output": True, "embd_pdrop": 0.0, "eos_token_id": None,
        "fused_bias_fc": True, "fused_dropout_add_ln": True, "initializer_range": 0.02, "layer_norm_epsilon": 1e-12,
        "mlp_fc1_bias": False, "mlp_fc2_bias": False, "model_type": "nomic_bert", "n_embd": 32, "n_head": 2,
        "n_inner": 48, "n_layer": 2, "n_positions": 256, "pad_vocab_size_multiple": 64, "parallel_block": False,
        "parallel_block_tied_norm": False, "prenorm": False, "qkv_proj_bias": False,
        "reorder_and_upcast_attn": False, "resid_pdrop": 0.0, "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0,
        "rotary_emb_interleaved": False, "rotary_emb_scale_base": None, "rotary_scaling_factor": None,
        "scale_attn_by_inverse_layer_idx": False, "scale_attn_weights": True, "summary_activation": None,
        "summary_first_dropout": 0.0, "summary_proj_to_labels": True, "summary_type": "cls_index",
        "summary_use_proj": True, "torch_dtype": "float16", "transformers_version": "4.37.2", "type_vocab_size": 2,
        "use_cache": True, "use_flash_attn": True, "use_rms_norm": False, "use_xentropy": True,
        "vocab_size": 640} | more


def nomic_hub():
    like(write("nomic_hub", "bert", nomic_config(), load_file(FAMILIES / "nomic/model.safetensors"), pooling="mean",
               tokenizer_class="BertTokenizer", prompts=NOMIC_PROMPTS,
               more={"do_lower_case": True, "model_max_length": 8192}), "bert", "nomic")


TASKS = {"retrieval.query": "Represent the query for retrieving evidence documents: ",
         "retrieval.passage": "Represent the document for retrieval: ", "separation": "", "classification": "",
         "text-matching": ""}
RANK = 2


def jina_v3_hub():
    """Each product's and each table's weight has adapters of low rank, one a task, which a prompt's name selects."""
    plain = load_file(FAMILIES / "jina_v3/model.safetensors")
    adapted = [key for key, tensor in plain.items() if tensor.dim() == 2]
    adapters = {}
    for key in adapted:
        rows, columns = plain[key].shape
        # Tables have their factors the other way round.
        table = "embeddings" in key
        adapters[key] = randomize_tensors(
            f"jina_v3_hub.{key}", {"A": (len(TASKS), *((rows, RANK) if table else (RANK, columns))),
                                   "B": (len(TASKS), *((RANK, columns) if table else (rows, RANK)))},
            0.7 if table else 0.6 / columns ** 0.25)
    tensors = {}
    for key, tensor in plain.items():
        if key not in adapters:
            tensors[f"roberta.{key}"] = tensor
            continue
        name = f"roberta.{key.removesuffix('.weight')}.parametrizations.weight"
        tensors |= {f"{name}.original": tensor, f"{name}.0.lora_A": adapters[key]["A"],
                    f"{name}.0.lora_B": adapters[key]["B"]}
    config = {
        "architectures": ["XLMRobertaModel"], "attention_probs_dropout_prob": 0.1, "auto_map": {
            "AutoConfig": "jinaai/xlm-roberta-flash-implementation--configuration_xlm_roberta.XLMRobertaFlashConfig",
            "AutoModel": "jinaai/xlm-roberta-flash-implementation--modeling_lora.XLMRobertaLoRA"},
        "bos_token_id": 0, "classifier_dropout": None, "emb_pooler": None, "eos_token_id": 2, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 56,
        "layer_norm_eps": 1e-05, "load_trained_adapters": True, "lora_adaptations": list(TASKS), "lora_alpha": 1,
        "lora_dropout_p": 0.0, "lora_main_params_trainable": False, "lora_rank": RANK,
        "matryoshka_dimensions": [8, 16, 32], "max_position_embeddings": 256, "model_type": "xlm-roberta",
        "num_attention_heads": 4, "num_hidden_layers": 2, "output_past": True, "pad_token_id": 1,
        "position_embedding_type": "rotary", "rotary_emb_base": 20000.0, "task_instructions": TASKS,
        "torch_dtype": "float16", "transformers_version": "4.30.2", "truncate_dim": None, "type_vocab_size": 1,
        "use_cache": True, "use_flash_attn": True, "vocab_size": 642}
    directory = write("jina_v3_hub", "xlm_roberta", config, tensors, pooling="mean",
                      kinds=("custom_st.Transformer", "Pooling", "Normalize"), prompts=TASKS,
                      tokenizer_class="XLMRobertaTokenizer", more=SPECIAL | {"model_max_length": 8194})
    series = [{"output": "dense", "rows": json.loads((FAMILIES / "jina_v3/references.json").read_text())
               ["series"][0]["rows"]}]
    for number, (task, prompt) in enumerate(TASKS.items()):
        temporary = tempfile.TemporaryDirectory()
        path = complete(FAMILIES / "jina_v3", "xlm_roberta", pathlib.Path(temporary.name) / "model")
        merged = {key: tensor.float() for key, tensor in plain.items()}
        for key, factors in adapters.items():
            a, b = factors["A"][number].float(), factors["B"][number].float()
            merged[key] += (a @ b if "embeddings" in key else b @ a) / RANK
        save_file(merged, path / "model.safetensors", {"format": "pt"})
        model = SentenceTransformer(str(path), model_kwargs=F32, device="cpu")
        series.append({"output": "dense", "prompt_name": task, "rows": dense_rows(model, TEXTS[:12], prompt)})
    write_references(directory, "xlm_roberta", series)


V5_TASKS = ("retrieval", "text-matching", "clustering", "classification")
V5_PROMPTS = {"query": "Query: ", "document": "Document: "}
V5_ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def jina_v5(name, base, tokenizer, config):
    """Upon another family, an adapter a task by peft, each in a folder of its own. The last task leaves some of the
    products as they are."""
    shutil.rmtree(FAMILIES / name, ignore_errors=True)
    directory = write(name, tokenizer, config | {
        "architectures": ["JinaEmbeddingsV5Model"], "auto_map": {
            "AutoConfig": "configuration_jina_embeddings_v5.JinaEmbeddingsV5Config",
            "AutoModel": "modeling_jina_embeddings_v5.JinaEmbeddingsV5Model"},
        "dtype": "bfloat16", "matryoshka_dimensions": [8, 16, 32], "model_type": "jina_embeddings_v5",
        "task_names": list(V5_TASKS), "transformers_version": "4.57.0"},
        load_file(FAMILIES / base / "model.safetensors"), pooling="lasttoken", prompts=V5_PROMPTS,
        kinds=("custom_st.Transformer", "Pooling", "Normalize"), tokenizer_class="")
    shutil.copy(FAMILIES / base / "tokenizer_config.json", directory)
    write_json(directory / "1_Pooling/config.json", {"word_embedding_dimension": 32, "pooling_mode_lasttoken": True},
               indent=2)
    vectors = {}
    for task in V5_TASKS:
        modules = V5_ADAPTED if task != V5_TASKS[-1] else V5_ADAPTED[:5]
        options = LoraConfig(r=2, lora_alpha=3, target_modules=list(modules), lora_dropout=0.1,
                             task_type="FEATURE_EXTRACTION")
        model = get_peft_model(AutoModel.from_pretrained(FAMILIES / base, dtype=torch.float32), options,
                               adapter_name=task)
        factors = {key: parameter for key, parameter in model.named_parameters() if "lora_" in key}
        for key, value in randomize_tensors(f"{name}.{task}", {key: tuple(parameter.shape)
                                                               for key, parameter in factors.items()}, 0.2).items():
            factors[key].data.copy_(value.float())
        model.save_pretrained(directory / "adapters")
        saved = directory / "adapters" / task / "adapter_model.safetensors"
        save_file({key: value.half() for key, value in load_file(saved).items()}, saved, {"format": "pt"})
        saved.chmod(0o644)
        (directory / "adapters" / task / "README.md").unlink(missing_ok=True)
        path = directory / "adapters" / task / "adapter_config.json"
        write_json(path, json.loads(path.read_text()) | {
            "base_model_name_or_path": "jinaai/jina-embeddings-v5-text", "target_modules": list(modules)}, indent=2)
        with tempfile.TemporaryDirectory() as temporary:
            path = complete(FAMILIES / base, tokenizer, pathlib.Path(temporary) / "model")
            for file in ("1_Pooling/config.json", "sentence_bert_config.json"):
                shutil.copy(directory / file, path / file)
            merged = model.merge_and_unload().state_dict()
            save_file({key: value.contiguous() for key, value in merged.items()}, path / "model.safetensors",
                      {"format": "pt"})
            vectors[task] = SentenceTransformer(str(path), model_kwargs=F32, device="cpu")
    (directory / "adapters/README.md").unlink(missing_ok=True)
    document = V5_PROMPTS["document"]
    series = [{"output": "dense", "rows": dense_rows(vectors["retrieval"], TEXTS, document)}]
    series += [{"output": "dense", "prompt_name": prompt, "rows": dense_rows(vectors["retrieval"], TEXTS[:6], text)}
               for prompt, text in V5_PROMPTS.items()]
    series += [{"output": "dense", "prompt_name": task, "rows": dense_rows(model, TEXTS[:12], document)}
               for task, model in vectors.items()]
    write_references(directory, tokenizer, series)


def jina_v5_small():
    """As it is: Qwen3, and configs by transformers 4."""
    jina_v5("jina_v5_small", "qwen3", "qwen3", {
        "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 600, "eos_token_id": 600, "head_dim": 16,
        "hidden_act": "silu", "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 64,
        "layer_types": ["full_attention"] * 3, "max_position_embeddings": 256, "max_window_layers": 3,
        "num_attention_heads": 4, "num_hidden_layers": 3, "num_key_value_heads": 2, "rms_norm_eps": 1e-06,
        "rope_scaling": None, "rope_theta": 1000.0, "sliding_window": None, "tie_word_embeddings": True,
        "use_cache": True, "use_sliding_window": False, "vocab_size": 603})


def jina_v5_nano():
    """As it is: EuroBERT."""
    jina_v5("jina_v5_nano", "eurobert", "llama3", {
        "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 601, "clf_pooling": "late",
        "eos_token_id": 602, "head_dim": 8, "hidden_act": "silu", "hidden_dropout": 0.0, "hidden_size": 32,
        "initializer_range": 0.02, "intermediate_size": 64, "is_decoder": False, "mask_token_id": 603,
        "max_position_embeddings": 256, "mlp_bias": False, "num_attention_heads": 4, "num_hidden_layers": 2,
        "num_key_value_heads": 2, "pad_token_id": 602, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": None, "rope_theta": 250000.0, "tie_word_embeddings": False, "use_cache": False,
        "vocab_size": 605})


MAKE = [gte_hub, gte_unpacked, nomic_hub, jina_v3_hub, jina_v5_small, jina_v5_nano]
