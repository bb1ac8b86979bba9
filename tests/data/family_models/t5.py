"""Encoders of T5."""

from sentence_transformers.base.modules.dense import Dense
from torch import nn
from transformers import MT5Config, MT5EncoderModel, T5Config, T5EncoderModel

from .layout import dense
from .weights import randomize

# Scores are not divided by sqrt(d_kv).
SCORES = [(r"SelfAttention\.q\.weight$", 0.3)]


def config(kind=T5Config, **more):
    return kind(**({
        "vocab_size": 650, "d_model": 36, "d_kv": 12, "d_ff": 64, "num_layers": 3, "num_heads": 4,
        "feed_forward_proj": "gated-gelu", "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128} | more))


def t5():
    """As FRIDA is: the first token's vector, prompts, GELU with a gate."""
    model = randomize(T5EncoderModel(config()), "t5", SCORES)
    dense("t5", model, "t5", pooling="cls", limit=160,
          prompts={"search_query": "search_query: ", "search_document": "search_document: ",
                   "paraphrase": "paraphrase: ", "categorize": "categorize: "})


def t5_relu():
    """As sentence-t5 is: ReLU, the mean, a Dense without bias."""
    model = randomize(T5EncoderModel(config(feed_forward_proj="relu", num_heads=3, relative_attention_num_buckets=16,
                                            relative_attention_max_distance=40)), "t5_relu", SCORES)
    head = randomize(Dense(36, 24, bias=False, activation_function=nn.Identity()), "t5_relu.dense")
    dense("t5_relu", model, "t5", after=[head.float()])


def mt5():
    model = randomize(MT5EncoderModel(config(MT5Config, num_heads=2, num_layers=2)), "mt5", SCORES)
    dense("mt5", model, "t5")


MAKE = [t5, t5_relu, mt5]
