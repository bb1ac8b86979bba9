"""A small table for SentencePiece's normalisation: NFKC of the characters that the texts have, and what
nmt_nfkc does with white space and control characters. The full table takes 300 KB in each tokenizer.
"""

import unicodedata

from .texts import PAIRS, TEXTS

REMOVED = [*range(0x01, 0x09), 0x0B, *range(0x0E, 0x20), 0x7F, 0x8F, 0x9F]
SPACES = [0x09, 0x0A, 0x0C, 0x0D, 0x1680, *range(0x200B, 0x2010), 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD]


def rules():
    """(characters, what they become) for each rule."""
    table = {chr(code): "" for code in REMOVED} | {chr(code): " " for code in SPACES}
    characters = {chr(code) for first, last in ((0xA0, 0x180), (0x2000, 0x2070), (0x2100, 0x2190),
                                                (0x3000, 0x3040), (0xFB00, 0xFB07), (0xFF01, 0xFFEF))
                  for code in range(first, last)}
    for text in [*TEXTS, *(text for pair in PAIRS for text in pair)]:
        characters.update(text)
    for character in sorted(characters):
        normal = unicodedata.normalize("NFKC", character)
        if normal != character:
            table.setdefault(character, " ".join(normal.split()) if normal.strip() else " ")
        # A letter and a mark that follows it become one character.
        parts = unicodedata.normalize("NFD", character)
        if len(parts) == 2 and unicodedata.normalize("NFC", parts) == character:
            table.setdefault(parts, character)
    return table


def write(path):
    def codes(text):
        return " ".join(f"{ord(character):X}" for character in text)

    path.write_text("".join(f"{codes(source)}\t{codes(target)}\n" for source, target in rules().items()))
