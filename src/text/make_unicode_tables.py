#!/usr/bin/env python3
"""Writes unicode_tables.inc: what the `tokenizers` library takes each code point for.

    pip install tokenizers==0.23.2
    python3 src/text/make_unicode_tables.py > src/text/unicode_tables.inc

The library mixes tables of several Unicode versions (old ones for general categories and normal
forms, new ones for lower case and grapheme clusters), so no one version of a Unicode library agrees
with it. Hence nothing is looked up here: each property is found by asking the library about every
code point, in a text where the property changes the answer. Takes a minute.
"""
import base64
import json
import struct

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]

# The order of GraphemeClass in unicode.h.
CLASSES = ["Other", "CR", "LF", "Control", "Extend", "Linker", "NonJoiner", "Zwj", "SpacingMark",
           "Prepend", "RegionalIndicator", "HangulL", "HangulV", "HangulT", "HangulLv",
           "HangulLvt", "Pictographic", "Consonant"]
# The order of the bits in CharProperties of unicode.h, above the five of the grapheme class.
FLAGS = ["other", "punctuation", "nonspacing", "mark", "word", "unstable"]


def every(test):
    return {c for c in CODE_POINTS if test(chr(c))}


def flags():
    def bert(**on):
        off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
        return normalizers.BertNormalizer(**{**off, **on}).normalize_str

    clean, strip = bert(clean_text=True), bert(strip_accents=True)
    nfd, nfkd = normalizers.NFD().normalize_str, normalizers.NFKD().normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    word = Tokenizer(models.WordLevel({"[UNK]": 0, "x": 1}, unk_token="[UNK]"))
    word.add_tokens([AddedToken("x", single_word=True, normalized=False)])

    def reorders(c):  # a combining class other than 0: sorted past U+0334 (1) or before U+0301 (230)
        return nfd(c + "\u0334") != c + "\u0334" or nfd("\u0301" + c) != "\u0301" + c

    return {
        "other": every(lambda c: clean(c) == "") - {0, 0xFFFD},
        "punctuation": every(lambda c: len(split("a" + c + "a")) == 3),
        "nonspacing": every(lambda c: nfd(c) == c and strip("a" + c) == "a"),
        "mark": every(lambda c: normalizers.StripAccents().normalize_str(c) == ""),
        "word": every(lambda c: 1 not in word.encode("x" + c).ids),
        "unstable": every(lambda c: nfkd(c) != c or reorders(c)),
    }


def one_for_each_chunk():
    """A charsmap that turns every chunk it is asked about into one X: a trie of 255 keys of a byte.

    The Precompiled normalizer asks about a grapheme cluster of up to five bytes as a whole, and
    about each character of a longer one, so the number of X tells where clusters end.
    """
    units = [0] * 512
    units[0] = 256 << 10  # the root; its children are at 256 ^ byte
    for byte in range(1, 256):
        node = 256 ^ byte
        # A node of its own label whose leaf is at node ^ offset, here always unit 0's neighbour 1.
        units[node] = (node ^ 1) << 10 | 1 << 8 | byte
    units[1] = 1 << 31 | 0  # a leaf: the replacement at offset 0
    blob = struct.pack("<I", 4 * len(units)) + struct.pack("<512I", *units) + b"X\0"
    spec = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": {"type": "Precompiled",
                           "precompiled_charsmap": base64.b64encode(blob).decode()},
            "pre_tokenizer": None, "post_processor": None, "decoder": None,
            "model": {"type": "WordLevel", "vocab": {"X": 0}, "unk_token": "X"}}
    return Tokenizer.from_str(json.dumps(spec)).normalizer.normalize_str


def grapheme_classes():
    chunks = one_for_each_chunk()
    acute, virama, ka, zwj, copyright_sign = "\u0301", "\u094d", "\u0915", "\u200d", "\u00a9"

    def joined(before, c, after):
        """Whether before + c + after is one cluster of six bytes or more: an X for each character."""
        return len(chunks(before + c + after)) == len(before + c + after)

    classes = {c: "Other" for c in CODE_POINTS}

    def put(name, test, among=None):
        for c in list(CODE_POINTS) if among is None else sorted(among):
            if classes[c] == "Other" and test(chr(c)):
                classes[c] = name

    for c, name in ((0x0D, "CR"), (0x0A, "LF"), (0x200D, "Zwj"), (0x200C, "NonJoiner")):
        classes[c] = name
    for c in range(0x1F1E6, 0x1F200):
        classes[c] = "RegionalIndicator"  # four bytes each: of no consequence for short clusters
    put("Control", lambda c: chunks(c + acute + "\u0302") == "XX" or c == "\0")
    put("Prepend", lambda c: chunks(c + "a") == "X")
    joins_left = every(lambda c: chunks("a" + c) == "X")
    put("Linker", lambda c: joined(ka, c, ka + acute), joins_left)
    # An Extend may stand between a pictograph and its joiner, a SpacingMark may not.
    put("Extend", lambda c: joined(copyright_sign, c, zwj + copyright_sign + acute), joins_left)
    put("SpacingMark", lambda c: True, joins_left)
    for c in CODE_POINTS:  # those that end a conjunct although they extend: only U+200C, named above
        if classes[c] == "Extend" and not joined(ka, chr(c), virama + ka + acute):
            raise SystemExit(f"U+{c:04X} extends, but not within a conjunct: a class is missing")
    put("Pictographic", lambda c: joined(copyright_sign + zwj, c, acute))
    put("Consonant", lambda c: joined("", c, virama + ka + acute))
    # Hangul: the left neighbours that a character joins to, and the right ones.
    g, a, kk, ga, gag = "\u1100", "\u1161", "\u11a8", "\uac00", "\uac01"
    hangul = {"HangulL": (g, g), "HangulV": (g, a), "HangulT": (ga, kk),
              "HangulLv": (g, a), "HangulLvt": (g, kk)}

    def kind(c):
        left = tuple(joined(x, c, acute) for x in (g, a, kk, ga, gag))
        right = tuple(joined(c, x, acute) for x in (g, a, kk, ga, gag))
        return left, right

    kinds = {kind(x): name for x, name in
             ((g, "HangulL"), (a, "HangulV"), (kk, "HangulT"), (ga, "HangulLv"), (gag, "HangulLvt"))}
    assert len(kinds) == len(hangul)
    for c in CODE_POINTS:
        if classes[c] == "Other":
            classes[c] = kinds.get(kind(chr(c)), "Other")
    return classes


def lower_case():
    """Runs (first, last, step, delta): each step-th code point of first..last is lowered by delta."""
    lower = normalizers.Lowercase().normalize_str
    pairs = [(c, ord(lower(chr(c)))) for c in CODE_POINTS if len(lower(chr(c))) == 1]
    assert [c for c in CODE_POINTS if len(lower(chr(c))) > 1] == [0x130] and lower("\u0130") == "i\u0307"
    runs = []
    for c, to in ((c, to) for c, to in pairs if c != to):
        if runs and runs[-1][3] == to - c:
            first, last, step, _ = runs[-1]
            gap = c - last
            if gap <= 2 and (first == last or gap == step):
                runs[-1] = (first, c, gap, to - c)
                continue
        runs.append((c, c, 1, to - c))
    return runs


def main():
    properties, classes = flags(), grapheme_classes()
    runs, value = [], 0
    for c in CODE_POINTS:
        v = CLASSES.index(classes[c])
        for bit, name in enumerate(FLAGS):
            v |= (c in properties[name]) << (5 + bit)
        if v != value:
            runs.append(c << 11 | v)
            value = v
    print(f"// Generated by make_unicode_tables.py from tokenizers {tokenizers.__version__}. Do not edit.\n")
    print("// Where the properties change: code point << 11 | flags << 5 | grapheme class.")
    print("constexpr uint32_t kPropertyRuns[] = {")
    for i in range(0, len(runs), 8):
        print("    " + " ".join(f"0x{r:08X}," for r in runs[i:i + 8]))
    print("};\n\n// Lower case: first, last, step, what to add. U+0130, which becomes two, is not here.")
    print("constexpr LowercaseRun kLowercaseRuns[] = {")
    lowered = [f"{{0x{f:X}, 0x{l:X}, {s}, {d}}}," for f, l, s, d in lower_case()]
    for i in range(0, len(lowered), 4):
        print("    " + " ".join(lowered[i:i + 4]))
    print("};")


if __name__ == "__main__":
    main()
