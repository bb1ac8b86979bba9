"""What this server is held to on a model of bge-m3's size, and what was seen."""

import report

# Time relative to the best alternative of the same precision, at most
RATIOS = {
    "1": {"f32": 0.6, "bf16": 0.55, "int8": 0.6},
    "100": {"f32": 0.7, "bf16": 0.7, "int8": 0.55},
    "727": {"f32": 0.75, "bf16": 0.75, "int8": 0.65},
    "8000": {"f32": 0.8, "bf16": 0.8},
}
SHARE_OF_PEAK = {"f32": 0.8, "bf16": 0.8, "int8": 0.75}  # for 100 texts, at least
ANONYMOUS_MB = {"f32": 1500, "bf16": 900, "int8": 600}  # after load, at most
CLIENTS_TO_REQUEST = 0.85  # texts/s of 16 clients to those of one request of 100, at least
P99_TO_P50 = 3  # with 16 clients, below
TO_LLAMA = 1.5  # texts/s with 16 clients to llama.cpp's server in bf16, at least


def line(name, bound, seen, holds, format="{:.2f}"):
    """A row of the report; nothing where nothing was measured."""
    return [] if seen is None else [[name, bound, format.format(seen), "" if holds else "not met"]]


def at_most(name, bound, seen, format="{:.2f}"):
    return line(name, "<= " + format.format(bound), seen, seen is not None and seen <= bound, format)


def at_least(name, bound, seen, format="{:.2f}"):
    return line(name, ">= " + format.format(bound), seen, seen is not None and seen >= bound, format)


def divided(a, b):
    return a / b if a is not None and b else None


def under_load(ours, precision):
    """Of this server's record alone."""
    rate = report.load_of(ours, "c16", "texts_s")
    time = report.latency_ms(ours, "100")
    p50, p99 = (report.load_of(ours, "c16", field) for field in ("p50_ms", "p99_ms"))
    failures = report.load_of(ours, "c256", "failures")
    return [
        *at_least(f"{precision}: texts/s, 16 clients to requests of 100", CLIENTS_TO_REQUEST,
                  divided(rate, time and 100 / (time / 1e3))),
        *at_most(f"{precision}: p99 to p50, 16 clients", P99_TO_P50, divided(p99, p50)),
        *at_most(f"{precision}: failures, 256 clients", 0, failures, "{:.0f}"),
        *at_most(f"{precision}: p99 to p50, 256 clients (none starves)", P99_TO_P50, divided(
            report.load_of(ours, "c256", "p99_ms"), report.load_of(ours, "c256", "p50_ms"))),
    ]


def rows(result):
    found = []
    if not result["model"].startswith("bge-m3"):
        return found
    for precision in ("f32", "bf16", "int8"):
        ours, others = report.split(result, precision)
        if not ours:
            continue
        for case, most in RATIOS.items():
            if precision in most and case in result["lengths"]:
                title = report.TITLES[case].format(longest=max(result["lengths"][case]))
                found += at_most(f"{precision}: {title}, time to the best alternative's",
                                 most[precision], report.ratio(result, precision, case))
        if "100" in result["lengths"]:
            found += at_least(f"{precision}: 100 texts, share of peak", SHARE_OF_PEAK[precision],
                              report.share_of_peak(result, ours, "100"), "{:.0%}")
        found += under_load(ours, precision)
        found += at_most(f"{precision}: anonymous MB after load", ANONYMOUS_MB[precision],
                         ours.get("anonymous_mb"), "{:.0f}")
        llama = [r for r in others if r["name"] == "llama-bf16"]
        if llama:
            rates = [report.load_of(r, "c16", "texts_s") for r in (ours, llama[0])]
            found += at_least(f"{precision}: texts/s, 16 clients, to llama.cpp's bf16", TO_LLAMA,
                              divided(*rates))
    return found
