"""Encoders with rotary positions."""

from transformers import (EuroBertConfig, EuroBertModel, GteConfig, GteForTokenClassification, JinaEmbeddingsV3Config,
                          JinaEmbeddingsV3Model, ModernBertConfig, ModernBertModel, NomicBertConfig,
                          NomicBertModel)

from .layout import dense
from .weights import randomize


def modernbert_config(**more):
    # A token of a local layer sees 4 on each side; layers 0 and 3 see all.
    return ModernBertConfig(**({
        "vocab_size": 594, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4,
        "intermediate_size": 48, "max_position_embeddings": 256, "local_attention": 8,
        "global_attn_every_n_layers": 3, "pad_token_id": 590, "bos_token_id": 588, "eos_token_id": 589,
        "cls_token_id": 588, "sep_token_id": 589,
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 160000.0},
                            "sliding_attention": {"rope_type": "default", "rope_theta": 50.0}}} | more))


def modernbert():
    model = randomize(ModernBertModel(modernbert_config()), "modernbert")
    dense("modernbert", model, "modernbert", pooling="cls", limit=128)


def modernbert_mean():
    """Biases everywhere, as a config may have them, and the mean."""
    config = modernbert_config(norm_bias=True, attention_bias=True, mlp_bias=True, num_hidden_layers=3,
                               global_attn_every_n_layers=2)
    dense("modernbert_mean", randomize(ModernBertModel(config), "modernbert_mean"), "modernbert", limit=128,
          prompts={"query": "query: ", "passage": "passage: "}, default_prompt="passage")


def nomic():
    config = NomicBertConfig(vocab_size=640, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                             intermediate_size=48, max_position_embeddings=256, type_vocab_size=2,
                             rope_parameters={"rope_type": "default", "rope_theta": 1000.0})
    dense("nomic", randomize(NomicBertModel(config), "nomic"), "bert", prompts=NOMIC_PROMPTS)


NOMIC_PROMPTS = {"query": "search_query: ", "document": "search_document: ", "clustering": "clustering: "}
# Of the hub's form: the base of the rotation and the factor of its NTK scaling.
GTE_THETA, GTE_FACTOR, GTE_HEAD_DIM = 100.0, 8.0, 8


def gte():
    """As gte-multilingual is, with a head of one number a token. NTK scaling by transformers' words: a base that is
    larger by the factor, and positions that are divided by a root of it."""
    config = GteConfig(vocab_size=642, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                       intermediate_size=48, max_position_embeddings=256, type_vocab_size=1, num_labels=1,
                       rope_parameters={"rope_type": "linear", "rope_theta": GTE_THETA * GTE_FACTOR,
                                        "factor": GTE_FACTOR ** (2 / GTE_HEAD_DIM)})
    model = randomize(GteForTokenClassification(config), "gte")
    model.classifier.bias.data.fill_(1.0)
    directory = dense("gte", model, "xlm_roberta", pooling="cls", token_weights=model)
    # sentence-transformers has saved the model without its head.
    model.half().save_pretrained(directory)
    (directory / "model.safetensors").chmod(0o644)


def eurobert():
    config = EuroBertConfig(vocab_size=605, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                            num_key_value_heads=2, intermediate_size=64, max_position_embeddings=256,
                            bos_token_id=601, eos_token_id=602, pad_token_id=602, mask_token_id=603,
                            rope_parameters={"rope_type": "default", "rope_theta": 250000.0})
    dense("eurobert", randomize(EuroBertModel(config), "eurobert"), "llama3")


def jina_v3_model():
    config = JinaEmbeddingsV3Config(vocab_size=642, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                                    intermediate_size=56, max_position_embeddings=256, type_vocab_size=1,
                                    rope_parameters={"rope_type": "default", "rope_theta": 20000.0})
    return randomize(JinaEmbeddingsV3Model(config), "jina_v3")


def jina_v3():
    dense("jina_v3", jina_v3_model(), "xlm_roberta", matryoshka=[8, 16, 32])


MAKE = [modernbert, modernbert_mean, nomic, gte, eurobert, jina_v3]
