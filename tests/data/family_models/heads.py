"""Cross-encoders."""

import pathlib
import tempfile

import torch
import transformers
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder.modules.logit_score import LogitScore

from .layout import F32, PAIRS, TEXTS, complete, module_of, numbers, save, write_references
from .weights import randomize


@torch.no_grad()
def logit_rows(model, pairs, prompt=None):
    rows = []
    for pair in pairs:
        ids = model.preprocess([pair], prompt=prompt)["input_ids"][0].tolist()
        logits = model.predict([pair], prompt=prompt, activation_fn=torch.nn.Identity(), convert_to_tensor=True)
        rows.append({"ids": ids, "vector": numbers(logits.reshape(-1).tolist())})
    return rows


def cross_encoder(name, model, tokenizer, *, limit=96, rendered=False, after=(), task="sequence-classification",
                  prompts=None, tokenizer_options=None):
    module = module_of(model, tokenizer, limit, task, tokenizer_options)
    directory = save(name, CrossEncoder(modules=[module, *after], prompts=prompts, device="cpu"), tokenizer)
    with tempfile.TemporaryDirectory() as temporary:
        path = complete(directory, tokenizer, pathlib.Path(temporary) / "model")
        loaded = CrossEncoder(str(path), model_kwargs=F32, device="cpu")
        series = [{"output": "logits", "inputs": "pairs", "rows": logit_rows(loaded, PAIRS)}]
        series += [{"output": "logits", "inputs": "pairs", "prompt_name": name, "rows": logit_rows(
            loaded, PAIRS[:6], prompt)} for name, prompt in (prompts or {}).items()]
    if rendered:
        for one in series:
            one["rendered"] = True
    write_references(directory, tokenizer, series)


def classifier(name, kind, tokenizer, labels=1, **config):
    """A cross-encoder by transformers' names of the config's and the model's class."""
    options = {"cross_encoder": {}, "randomize": {}}
    for key in options:
        options[key] = config.pop(key, {})
    made = getattr(transformers, f"{kind}Config")(num_labels=labels, **config)
    model = getattr(transformers, f"{kind}ForSequenceClassification")(made)
    cross_encoder(name, randomize(model, name, **options["randomize"]), tokenizer, **options["cross_encoder"])


BERT_LIKE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}


def cross_encoders():
    classifier("ce_bert", "Bert", "bert", vocab_size=640, max_position_embeddings=96, **BERT_LIKE)
    classifier("ce_roberta", "Roberta", "roberta", vocab_size=640, max_position_embeddings=98, type_vocab_size=1,
               pad_token_id=1, bos_token_id=0, eos_token_id=2, **BERT_LIKE)
    classifier("ce_xlm_roberta", "XLMRoberta", "xlm_roberta", vocab_size=642, max_position_embeddings=98,
               type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2, **BERT_LIKE)
    classifier("ce_distilbert", "DistilBert", "bert", vocab_size=640, max_position_embeddings=96, dim=32, n_layers=2,
               n_heads=4, hidden_dim=48)
    classifier("ce_electra", "Electra", "bert", vocab_size=640, max_position_embeddings=96, embedding_size=24,
               **BERT_LIKE)
    classifier("ce_albert", "Albert", "albert", vocab_size=640, max_position_embeddings=96, embedding_size=24,
               **BERT_LIKE)
    classifier("ce_mpnet", "MPNet", "mpnet", vocab_size=640, max_position_embeddings=98, **BERT_LIKE)
    classifier("ce_camembert", "Camembert", "camembert", labels=3, vocab_size=645, max_position_embeddings=98,
               type_vocab_size=1, pad_token_id=1, **BERT_LIKE)


def deberta(**more):
    return {"vocab_size": 641, "relative_attention": True, "max_position_embeddings": 96,
            "pos_att_type": ["p2c", "c2p"], "layer_norm_eps": 1e-7, "pooler_hidden_size": 32, **BERT_LIKE} | more


def cross_encoders_of_deberta():
    """As DeBERTa v3 is: distances in buckets, one table for all layers, keys shared with those of positions."""
    classifier("ce_deberta_v3", "DebertaV2", "deberta_v2", labels=3, position_buckets=12, share_att_key=True,
               norm_rel_ebd="layer_norm", position_biased_input=False, type_vocab_size=0, max_relative_positions=-1,
               **deberta())
    classifier("ce_deberta_v2", "DebertaV2", "deberta_v2", position_biased_input=True, type_vocab_size=2,
               max_relative_positions=20, share_att_key=False, **deberta(embedding_size=24))


def cross_encoders_with_a_convolution():
    """As DeBERTa v2 xlarge and xxlarge are; and with what its config may say else of the convolution."""
    classifier("ce_deberta_v2_convolution", "DebertaV2", "deberta_v2", labels=3, conv_kernel_size=3, conv_act="gelu",
               position_buckets=12, share_att_key=True, norm_rel_ebd="layer_norm", position_biased_input=False,
               type_vocab_size=0, max_relative_positions=-1, **deberta())
    classifier("ce_deberta_v2_convolution_in_groups", "DebertaV2", "deberta_v2", conv_kernel_size=5, conv_groups=4,
               position_biased_input=True, type_vocab_size=2, max_relative_positions=20, share_att_key=False,
               **deberta(embedding_size=24, num_hidden_layers=1))


ROTARY = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 40}


def cross_encoders_with_rotary_positions():
    from .rotary import modernbert_config
    for pooling in ("cls", "mean"):
        made = modernbert_config(num_hidden_layers=3, num_labels=1, classifier_pooling=pooling,
                                 classifier_bias=pooling == "mean")
        name = f"ce_modernbert_{pooling}"
        cross_encoder(name, randomize(transformers.ModernBertForSequenceClassification(made), name), "modernbert")
    classifier("ce_gte", "Gte", "xlm_roberta", vocab_size=642, max_position_embeddings=256, type_vocab_size=1,
               rope_parameters={"rope_type": "default", "rope_theta": 1000.0}, **ROTARY)
    rope = {"rope_type": "default", "rope_theta": 1000.0}
    classifier("ce_qwen3", "Qwen3", "qwen3", vocab_size=603, num_key_value_heads=2, head_dim=12, pad_token_id=600,
               rope_parameters=rope, max_position_embeddings=256, **ROTARY)
    classifier("ce_llama", "Llama", "llama3", vocab_size=605, num_key_value_heads=2, pad_token_id=602,
               rope_parameters=rope, max_position_embeddings=256, **ROTARY)


TEMPLATE = """{%- set instruction = messages | selectattr("role", "eq", "system") | map(attribute="content") | first \
| default("Given a web search query, retrieve relevant passages that answer the query", true) -%}
{%- set query = messages | selectattr("role", "eq", "query") | map(attribute="content") | first -%}
{%- set document = messages | selectattr("role", "eq", "document") | map(attribute="content") | first -%}
<|im_start|>system
Judge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the answer \
can only be "yes" or "no".<|im_end|>
<|im_start|>user
<Instruct>: {{ instruction }}
<Query>: {{ query }}
<Document>: {{ document }}<|im_end|>
<|im_start|>assistant
<think>

</think>

"""


# Long texts that are all alike but for a little: with less in each layer, fewer bits tell them apart too.
GENTLE = [(r"(q_proj|k_proj)\.weight$", 1.0), (r"(up_proj|gate_proj)\.weight$", 1.1),
          (r"(o_proj|down_proj)\.weight$", 0.6)]


def qwen3_reranker():
    """As Qwen3-Reranker is: a language model, its template of messages, and what "yes" has more than "no"."""
    made = transformers.Qwen3Config(vocab_size=603, num_key_value_heads=2, head_dim=12, tie_word_embeddings=True,
                                    max_position_embeddings=512, pad_token_id=600,
                                    rope_parameters={"rope_type": "default", "rope_theta": 1000.0}, **ROTARY)
    model = randomize(transformers.Qwen3ForCausalLM(made), "qwen3_reranker", GENTLE, embedding=0.5)
    cross_encoder("qwen3_reranker", model, "qwen3", limit=320, rendered=True, task="text-generation",
                  after=[LogitScore(true_token_id=352, false_token_id=519)],
                  prompts={"classification": "Find documents about the query's subject"},
                  tokenizer_options={"chat_template": TEMPLATE})


MAKE = [cross_encoders, cross_encoders_of_deberta, cross_encoders_with_a_convolution,
        cross_encoders_with_rotary_positions, qwen3_reranker]
