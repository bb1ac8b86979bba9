"""The report in Markdown, from what main.py gathered (see --json).

    python bench/compare/report.py FILE.json      prints it again
"""

import json
import statistics
import sys

import bounds
from peak import FACTOR
from texts import LATENCY, LOAD

TITLES = {
    "1": "1 text", "10": "10 texts", "100": "100 texts", "727": "1 of {longest} tokens",
    "1000": "1 of {longest} tokens", "8x727": "8 of {longest} tokens", "8000": "1 of {longest} tokens",
    "c1": "1 client", "c16": "16 clients", "c256": "256 clients",
}


def median(values):
    return statistics.median(values) if values else None


def latency_ms(record, case):
    """Median of the rounds; None where there is none."""
    times = record["latency"].get(case)
    return median(times) if times and None not in times else None


def load_of(record, case, field):
    """Median of the rounds; failures are added up."""
    rounds = record["load"].get(case)
    if not rounds:
        return None
    if field in ("failures", "answers"):
        return sum(r[field] for r in rounds)
    return median([r[field] for r in rounds if field in r])


def peaks(result):
    """Medians over the run, G operations a second: "multiply-add" and each precision's product."""
    kinds = sorted({kind for seen in result["peaks"] for kind in seen})
    return {k: median([seen[k] for seen in result["peaks"] if k in seen]) for k in kinds}


def share_of_peak(result, record, case):
    """Of the multiply-adds that the machine does at this precision."""
    time, most = latency_ms(record, case), peaks(result).get("multiply-add")
    if not time or not most:
        return None
    return result["operations"][case] / (time / 1e3) / (most * 1e9 * FACTOR[record["precision"]])


def split(result, precision):
    """This server's record, if it was measured, and the alternatives'."""
    records = [r for r in result["engines"] if r["precision"] == precision]
    ours = [r for r in records if r["name"] == "ours"]
    return ours[0] if ours else None, [r for r in records if r["name"] != "ours"]


def ratio(result, precision, case):
    """This server's time to the best alternative's, or the best alternative's rate to this one's:
    below 1 is better either way."""
    ours, others = split(result, precision)
    value = (lambda r: latency_ms(r, case)) if case in LATENCY else (
        lambda r: (rate := load_of(r, case, "texts_s")) and 1 / rate)
    times = [time for record in others if (time := value(record))]
    mine = ours and value(ours)
    return mine / min(times) if mine and times else None


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(header, rows):
    return "\n".join([row(header), "|---" * len(header) + "|", *map(row, rows)])


def cell(format, value):
    return "" if value is None else format.format(value)


def latency_cell(result, record, case):
    if record["latency"].get(case) and None in record["latency"][case]:
        return "over the limit"
    time, share = latency_ms(record, case), share_of_peak(result, record, case)
    if time is None:
        return "failed" if case == "8000" and "problem_long" in record else ""
    return f"{time:.{0 if time >= 100 else 1}f}" + cell(" ({:.0%})", share)


def latency_table(result, precision, records):
    cases = [case for case in LATENCY if case in result["lengths"]]
    titles = [TITLES[c].format(longest=max(result["lengths"][c])) for c in cases]
    rows = [[r["label"], *(latency_cell(result, r, c) for c in cases)] for r in records]
    rows.append(["**ratio to the best**",
                 *(cell("**{:.2f}**", ratio(result, precision, c)) for c in cases)])
    return table(["ms (share of peak)", *titles], rows)


def load_cell(record, case):
    rate = load_of(record, case, "texts_s")
    failures = load_of(record, case, "failures")
    if rate is None:
        return f"{failures} failed" if failures else ""
    text = f"{rate:.1f} ({load_of(record, case, 'p50_ms'):.0f}, {load_of(record, case, 'p99_ms'):.0f})"
    return text + (f", {failures} failed" if failures else "")


def load_table(result, precision, records):
    cases = [c for c in LOAD if any(c in r["load"] for r in records)]
    rows = [[r["label"], *(load_cell(r, c) for c in cases), cell("{:.0f}", r.get("peak_mb")),
             cell("{:.0f}", r.get("peak_long_mb")), cell("{:.0f}", r.get("anonymous_mb")),
             cell("{:.1f}", r.get("ready_s")), cell("{:.5f}", r.get("cosine"))] for r in records]
    if cases:
        rows.append(["**ratio to the best**",
                     *(cell("**{:.2f}**", ratio(result, precision, c)) for c in cases),
                     "", "", "", "", ""])
    return table(["texts/s (p50, p99 ms)", *(TITLES[c] for c in cases), "peak MB",
                  "with 8,000 tokens", "anonymous MB after load", "ready after s",
                  "cosine to our f32"], rows)


def heading(result):
    machine, seen = result["machine"], peaks(result)
    most = "; ".join(f"{name} {value:.0f}" for name, value in seen.items())
    return (f"{machine['processor']} ({', '.join(machine['features'])}), {result['threads']} cores, "
            f"{machine['memory_gib']:.0f} GiB. Model {result['model']}. Medians of "
            f"{result['rounds']} rounds.\n\nPeak, G operations/s, medians over the run (f32 "
            f"multiply-adds in registers; products of 512 x 1024 x 3072 by this server's kernels): "
            f"{most}. Shares of peak are of the multiply-adds times 1, 2, 4 in f32, bf16, int8.")


def accuracy_table(result):
    rows = [[precision, f"{a['lowest']:.5f}", f"{a['mean']:.5f}",
             f"{a['same_neighbours']:.2f} of {a['of']}"]
            for precision, a in result["accuracy"].items()]
    texts = max((a["texts"] for a in result["accuracy"].values()), default=0)
    return (f"all-MiniLM-L6-v2, {texts} texts, against f32:\n\n" + table(
        ["", "lowest cosine", "mean cosine", "same nearest neighbours"], rows))


def markdown(result):
    parts = ["## Comparison", heading(result)]
    for precision in dict.fromkeys(r["precision"] for r in result["engines"]):
        ours, others = split(result, precision)
        records = ([ours] if ours else []) + others
        parts += [f"### {precision}", latency_table(result, precision, records),
                  load_table(result, precision, records)]
        parts += [f"{r['label']}: {problem}" for r in records
                  for problem in (r["problem"], r.get("problem_long")) if problem]
    if rows := bounds.rows(result):
        parts += ["### Bounds", table(["", "bound", "seen", ""], rows)]
    if result.get("accuracy"):
        parts += ["### Accuracy", accuracy_table(result)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(markdown(json.loads(open(sys.argv[1]).read())))
