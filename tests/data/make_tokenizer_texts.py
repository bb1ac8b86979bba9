#!/usr/bin/env python3
"""Writes expected/tokenizer_texts.jsonl: texts that tokenizers are compared on, beside the others.

    python3 tests/data/make_tokenizer_texts.py

They are made of the texts of expected/tokens.bge-m3.jsonl (messages of free software in 80 languages), of code,
emoji, control characters, numbers, and long runs of one character, put together by chance: with those 5,000.
"""
import json
import pathlib
import random

HERE = pathlib.Path(__file__).parent
COUNT = 5000
BLOCKS = [(0x01, 0x20), (0x21, 0x7F), (0x80, 0xA0), (0xA1, 0x250), (0x300, 0x370), (0x370, 0x400), (0x400, 0x530),
          (0x5D0, 0x5EB), (0x620, 0x650), (0x900, 0x980), (0xE01, 0xE50), (0x1100, 0x1200), (0x1E00, 0x1F00),
          (0x2000, 0x2070), (0x2100, 0x2190), (0x2460, 0x2500), (0x3041, 0x3100), (0x4E00, 0x9FFF),
          (0xAC00, 0xD7A4), (0xFB00, 0xFB50), (0xFF01, 0xFF5F), (0x10400, 0x10450), (0x11DE0, 0x11DEA),
          (0x16FF0, 0x17000), (0x1D400, 0x1D500), (0x1F300, 0x1F650), (0x20000, 0x20100)]
PARTS = [
    'def f(x):\n    return x+1\n\n\nif __name__ == "__main__":\n\tprint(f(3))',
    "for (int i=0;i<10;++i) { a[i] = b[i]*2; } // ok\r\n", 'SELECT * FROM t WHERE a=1 AND b<>"x";',
    '<div class="a">&nbsp;</div>', "https://example.com/a?b=c&d=%20", '{"a": [1, 2, {"b": null}]}',
    "x=0x1F600;y=1e-10;z=3.14159265358979", "don't I'LL we'Re it'S 'tis 've 'ſ O'Kay",
    "HelloWorldFooBar getHTTPResponseCode ABCdef iOS", "    \n\n\n  \t\t x  \r\n\r\n y   ",
    "12345678901234567890 1,234,567.89 ١٢٣٤ ½ Ⅻ ²³", "…—“quoted”‘s’ ¿qué? ¡no!",
    "👨‍👩‍👧👍🏽🇩🇪🇫🇷☺️ 🤷🏽‍♂️", "\x00\x01\x02\x7f\x80\x9f\u200b\u200d\ufeff\ufffd\ue000\U000e0001",
    "<s></s><unk><pad><mask> <mask>  [MASK][SEP]<bos><start_of_turn><|endoftext|><|im_start|>user<|im_end|>",
    "<|begin_of_text|> <extra_id_0><|fim_prefix|></think>", "ﬁ ſ ß ẞ İ ı K Å ﷺ ㍿", "▁ ▁▁ a▁b Ġ ĠĠ <0x0A> ##x",
    "nai\u0308ve cafe\u0301 e\u0323\u0301 \u0301x \u1100\u1161\u11a8 각\u11a8",
    "का क्षि ศูนย์ မြန်မာ ኢትዮጵያ ខ្មែរ ᠮᠣᠩᠭᠣᠯ", "\u2028\u2029\u00a0\u3000\u202f\u1680", "東京都に住んでいます。你好，世界！한국어입니다.",
]
RUNS = " \n\t\r-=_.aAбя中0'é"


def make_text(rng, known):
    def part():
        kind = rng.randrange(10)
        if kind < 3:
            text = rng.choice(known)
            begin = rng.randrange(len(text) + 1)
            return text[begin:begin + rng.randrange(1, 40)]
        if kind < 5:
            return rng.choice(PARTS)
        if kind == 5:
            return rng.choice(RUNS) * rng.choice([1, 2, 3, 4, 7, 12, 40])
        if kind == 6:
            low, high = rng.choice(BLOCKS)
            return "".join(chr(rng.randrange(low, high)) for _ in range(rng.randrange(1, 8)))
        if kind == 7:
            return str(rng.randrange(10 ** rng.randrange(1, 12)))
        if kind == 8:
            return rng.choice(known).upper()[:30]
        return rng.choice(known)

    return "".join(part() + rng.choice(["", " ", "\n", "  "]) for _ in range(rng.choice([1, 1, 2, 3, 5])))


def main():
    rng = random.Random(20260201)
    lines = (HERE / "expected/tokens.bge-m3.jsonl").read_text().splitlines()
    known = [json.loads(line)["text"] for line in lines]
    with open(HERE / "expected/tokenizer_texts.jsonl", "w") as out:
        for text in ["", " ", *PARTS] + [make_text(rng, known) for _ in range(COUNT - len(known) - 2 - len(PARTS))]:
            print(json.dumps(text), file=out)


if __name__ == "__main__":
    main()
