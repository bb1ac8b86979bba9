"""Writes a model directory of a well-known model's exact size with random weights, by transformers' own class.

    python bench/make_sized_model.py build/qwen3-0.6b-size     (or nomic-size, modernbert-base-size)

As make_bge_m3_size.py: speed and memory depend on the sizes, not on the values. Tokenizers are real ones
(scripts/fetch_model.sh, scripts/fetch_tokenizers.sh); ModernBERT's, which no package has, is replaced by Qwen3's, and
its table of words is as long as that asks for. Seeded. Needs the packages of bench/compare.
"""

import argparse
import json
import pathlib
import shutil

import torch
from transformers import AutoModel, ModernBertConfig, NomicBertConfig, Qwen3Config

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
QWEN3 = {"files": MODELS / "tokenizers/qwen3", "vocab_size": 151936, "end": 151643}
END = "<|endoftext|>"


def nomic():
    """nomic-embed-text-v1.5"""
    return NomicBertConfig(vocab_size=30528, hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
                           intermediate_size=3072, max_position_embeddings=8192, type_vocab_size=2, pad_token_id=0,
                           rope_parameters={"rope_type": "default", "rope_theta": 1000.0})


def modernbert():
    """gte-modernbert-base"""
    return ModernBertConfig(vocab_size=QWEN3["vocab_size"], hidden_size=768, num_hidden_layers=22,
                            num_attention_heads=12, intermediate_size=1152, max_position_embeddings=8192,
                            local_attention=128, global_attn_every_n_layers=3,
                            **{f"{name}_token_id": QWEN3["end"] for name in ("pad", "bos", "eos", "cls", "sep")})


def qwen3():
    """Qwen3-Embedding-0.6B"""
    return Qwen3Config(vocab_size=QWEN3["vocab_size"], hidden_size=1024, num_hidden_layers=28, num_attention_heads=16,
                       num_key_value_heads=8, head_dim=128, intermediate_size=3072, max_position_embeddings=32768,
                       pad_token_id=QWEN3["end"], eos_token_id=QWEN3["end"], tie_word_embeddings=True,
                       rope_parameters={"rope_type": "default", "rope_theta": 1000000.0})


BERT_WORDS = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "cls_token": "[CLS]", "sep_token": "[SEP]",
              "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
PLAIN_WORDS = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": END, "eos_token": END}
# By the directory's name: the config, the tokenizer's files and words, the pooling, the weights' type in the file.
SIZES = {
    "nomic-size": (nomic, MODELS / "all-MiniLM-L6-v2", BERT_WORDS, "mean", torch.float32),
    "modernbert-base-size": (modernbert, QWEN3["files"], PLAIN_WORDS, "cls", torch.float32),
    "qwen3-0.6b-size": (qwen3, QWEN3["files"], PLAIN_WORDS | {"tokenizer_class": "Qwen2Tokenizer"}, "lasttoken",
                        torch.bfloat16),
}


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path, help=f"whose name is one of {', '.join(SIZES)}")
    out = parser.parse_args().directory
    if out.name not in SIZES:
        parser.error(f"{out.name} is none of {', '.join(SIZES)}")
    config, tokenizer, words, pooling, dtype = SIZES[out.name]
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    torch.manual_seed(1)
    AutoModel.from_config(config()).to(dtype).save_pretrained(partial)
    shutil.copy(tokenizer / "tokenizer.json", partial)
    write_json(partial / "tokenizer_config.json", words | {"model_max_length": 8192})
    write_json(partial / "sentence_bert_config.json", {"max_seq_length": 8192, "do_lower_case": False})
    modes = ("cls_token", "mean_tokens", "lasttoken")
    write_json(partial / "1_Pooling/config.json",
               {"word_embedding_dimension": config().hidden_size}
               | {f"pooling_mode_{mode}": mode.startswith(pooling) for mode in modes})
    write_json(partial / "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate((("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")))])
    partial.rename(out)


if __name__ == "__main__":
    main()
