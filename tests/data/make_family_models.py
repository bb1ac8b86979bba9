"""Makes small models of every family with random weights, and what sentence-transformers gives for them.

    python tests/data/make_family_models.py [NAME...]

Writes families/NAME for each: the model by transformers' own class in the layout that
sentence-transformers saves, without the tokenizer.json, which lies in families/tokenizers/KIND, and
references.json.
"""

import sys

from family_models import (
    decoders, encoders, gemma, heads, hub, modules, nomic_moe, old_configs, rotary, sparse, static, t5)
from family_models.layout import FAMILIES, write_json
from family_models.texts import PAIRS, TEXTS

if __name__ == "__main__":
    FAMILIES.mkdir(exist_ok=True)
    write_json(FAMILIES / "texts.json", {"texts": TEXTS, "pairs": PAIRS}, indent=0)
    for module in (encoders, rotary, decoders, gemma, t5, hub, nomic_moe, heads, sparse, static, modules,
                   old_configs):
        for make in module.MAKE:
            if not sys.argv[1:] or make.__name__ in sys.argv[1:]:
                print(make.__name__, flush=True)
                make()
