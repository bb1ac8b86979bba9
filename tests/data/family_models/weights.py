"""Random weights of such sizes that attention and activations matter.

Rows of a matrix have the length of `gain`, so that what goes in with variance 1 comes out with variance
gain^2. Queries and keys are longer, which spreads the scores over 1 to 2; what goes into an activation
reaches its bends. Weights of norms lie around 1, biases around 0, both far enough away to be missed.
Every value is one that float16 has.
"""

import re
import zlib

import torch

# (pattern of the tensor's name, standard deviation of its products); the first that matches.
GAINS = [
    (r"(query|q_proj|q_lin|\.q|key|k_proj|k_lin|\.k|pos_key|pos_query|Wqkv|qkv)\.weight$", 1.25),
    (r"(value|v_proj|v_lin|\.v)\.weight$", 1.2),
    (r"(intermediate\.dense|lin1|up_proj|gate_proj|fc1|wi|wi_0|wi_1|Wi|ffn)\.weight$", 1.5),
]
# What layers add to what goes through them, smaller: bfloat16's rounding grows less on its way through random weights,
# which do not damp it as trained ones do.
GENTLE_BRANCHES = [(r"(o_proj|out_lin|attn\.o|output\.dense|lin2|down_proj|Wo)\.weight$", 0.6)]
EMBEDDING = re.compile(r"(embed|shared|word_embeddings|wte)[^.]*\.weight$|relative_attention_bias\.weight$")


def is_norm(name, parameter):
    return parameter.dim() == 1 and re.search(r"norm|ln_|layer_norm|LayerNorm", name, re.I) is not None


@torch.no_grad()
def randomize(model, name, gains=(), norm_mean=1.0, embedding=1.0, relative_bias=1.0):
    """Fills every parameter of the model; `name` seeds what is drawn. Returns the model in float16."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))

    def normal(parameter, deviation, mean=0.0):
        values = torch.randn(parameter.shape, generator=generator) * deviation + mean
        parameter.copy_(values.half().float())

    for key, parameter in model.float().named_parameters():
        if key.endswith("bias") and parameter.dim() == 1:
            normal(parameter, 0.3)
        elif is_norm(key, parameter):
            normal(parameter, 0.25, norm_mean)
        elif parameter.dim() == 1:
            normal(parameter, 0.3)
        elif re.search(r"relative_attention_bias|rel_embeddings", key):
            normal(parameter, relative_bias)
        elif EMBEDDING.search(key):
            normal(parameter, embedding)
        else:
            gain = next((gain for pattern, gain in [*gains, *GAINS] if re.search(pattern, key)), 1.0)
            inputs = parameter[0].numel() if ".conv." in key else parameter.shape[-1]
            normal(parameter, gain / inputs ** 0.5)
    return model.eval().half()


def randomize_tensors(name, shapes, deviation):
    """Tensors of these shapes by name."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    return {key: (torch.randn(shape, generator=generator) * deviation).half() for key, shape in shapes.items()}
