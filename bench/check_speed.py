"""Times two binaries of the server in turn and says where the second is slower.

    bench/check_speed.sh OLD NEW [--model DIR]... [--bound 0.02] [--rounds 15]

Of each dtype three servers run, OLD, NEW and OLD a second time, all but one stopped (SIGSTOP) at any
moment. In each round each has a turn, in an order that turns: so many equal requests one after another
that the turn is not too short, of which the median counts; of 16 clients, the time that one text takes.
A round gives two ratios: NEW to the mean of both OLD, and the second OLD to the first, which is the noise
of this run. A row is worse if the median of the former is above 1 by more than the bound and the noise
together, and unclear if the noise is larger than the bound. Rows that are either get more rounds, by
servers that are started anew: where a process's memory lies matters too. Exits 1 if a row is worse, 3 if
one is unclear. Needs the standard library only, and a machine that does nothing else.
"""

import argparse
import http.client
import json
import math
import pathlib
import signal
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench/compare"))

import load  # noqa: E402
import server as servers  # noqa: E402

DTYPES = ("f32", "bf16", "int8")
SHORT, LONG = 20, 727  # tokens, special tokens included
LATENCY = {"1": (1, SHORT), "10": (10, SHORT), "100": (100, SHORT), "727": (1, LONG)}
CLIENTS = {"c16": 16}
ROWS = {"1": "1 text", "10": "10 texts", "100": "100 texts", "727": "1 of 727 tokens",
        "c16": "16 clients"}
TURN_S = 0.3  # a turn of requests that are shorter has more of them, up to MOST
MOST = 40
CLIENTS_S = 1.5
# Threads of the team look out for work for a while after a request. Those of a stopped server do not;
# what is left of a turn (the kernel's and the client's work) has this long to end.
GAP_S = 0.06


class Binary:
    """What bench/compare/server.py wants to know of a server."""

    ready_path, path = "/readyz", "/embed"

    def __init__(self, file, model, dtype):
        self.file, self.model, self.dtype = file, model, dtype

    def command(self, port, settings):
        return [self.file, "serve", "--host", "127.0.0.1", "--port", port, "--model", self.model,
                "--dtype", self.dtype]

    def request(self, texts):
        return {"texts": texts}


def post(server, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


class TextMaker:
    """Texts of a number of tokens, in many languages; no two are equal. The server counts."""

    def __init__(self, server):
        lines = (ROOT / "tests/data/expected/tokens.bge-m3.jsonl").read_text("utf-8").splitlines()
        natural = [" ".join(json.loads(line)["text"].split()) for line in lines[:1155]]
        self.server, self.pieces = server, [text for text in natural if text]

    def text(self, number, tokens):
        """It begins with its number, and is cut where the last token but the special ones ends."""
        text, k = f"{number}", number * 13
        while True:
            [found] = post(self.server, "/tokenize", {"inputs": text})
            if len(found) >= tokens:
                return text[:found[tokens - 2]["stop"]]
            for _ in range(1 + (tokens - len(found)) // 8):
                text, k = f"{text} {self.pieces[k % len(self.pieces)]}", k + 1

    def texts(self, row):
        """Those of the clients are many, so that a client seldom sends what another sends."""
        count, tokens = LATENCY.get(row, (256, SHORT))
        return [self.text(1000 * len(row) + i, tokens) for i in range(count)]


def turn(server, row, texts, repeats):
    """Seconds of one request, or of one text of many clients'."""
    time.sleep(GAP_S)
    server.resume()
    load.latencies_ms(server, ["x"], 2)  # the threads are awake, the first pages there
    if row in CLIENTS:
        result = load.clients(server, CLIENTS[row], texts, CLIENTS_S)
        if result["failures"]:
            raise RuntimeError(result["failure"])
        seconds = 1 / result["texts_s"]
    else:
        seconds = statistics.median(load.latencies_ms(server, texts, repeats)) / 1000
    server.pause()
    return seconds


class Row:
    def __init__(self, name, texts):
        self.name, self.texts = name, texts
        self.repeats = 1
        self.times = []  # of each round: OLD, NEW, OLD again

    def measure(self, running, rounds):
        # Once without counting, which also tells how long a request takes.
        first = [turn(server, self.name, self.texts, 2) for server in running]
        self.repeats = min(MOST, max(1, math.ceil(TURN_S / min(first))))
        for _ in range(rounds):
            # A B C, C B A, B C A, A C B, C A B, B A C: each comes first, and before each other,
            # equally often.
            number = len(self.times)
            order = [(i + (number // 2)) % 3 for i in range(3)]
            times = {i: turn(running[i], self.name, self.texts, self.repeats)
                     for i in (order if number % 2 == 0 else reversed(order))}
            self.times.append([times[i] for i in range(3)])

    def ratios(self):
        """Quartiles of NEW's ratios to OLD: lower, median, upper."""
        return statistics.quantiles([new / math.sqrt(a * b) for a, new, b in self.times], n=4)

    def own_ratios(self):
        """Those of OLD to itself."""
        return statistics.quantiles([b / a for a, _, b in self.times], n=4)

    def noise(self):
        """How far OLD's median ratio to itself is from 1, or may be by chance: its two standard
        errors, by the quartiles (of a normal distribution)."""
        lower, median, upper = self.own_ratios()
        return max(abs(median - 1), 2 * 1.2533 * (upper - lower) / 1.349 / len(self.times) ** 0.5)

    def verdict(self, bound):
        if self.ratios()[1] > 1 + bound + self.noise():
            return "WORSE"
        return "unclear" if self.noise() > bound else "fine"

    def cells(self, bound):
        def shown(quartiles):
            return "{1:.3f} ({0:.3f} to {2:.3f})".format(*quartiles)

        old = statistics.median(times[0] for times in self.times) * 1000
        return [f"{old:.2f}", shown(self.ratios()), shown(self.own_ratios()), f"{self.noise():.3f}",
                str(len(self.times)), self.verdict(bound)]


def start(files, model, dtype, logs, running):
    """False if the processor does not have the dtype. What is running is added one by one."""
    for i, file in enumerate(files):
        try:
            running.append(servers.Server(
                Binary(file, model, dtype), None, logs / f"{dtype}-{i}.log"))
        except RuntimeError as error:
            if not running and "this processor does not multiply" in str(error):
                return False
            raise
        running[-1].pause()
    return True


def measure_once(options, model, dtype, logs, rows):
    """`rounds` more of the rows; makes them if there are none. False if the processor lacks the dtype."""
    running = []
    try:
        if not start([options.old, options.new, options.old], model, dtype, logs, running):
            return False
        if not rows:
            running[0].resume()
            maker = TextMaker(running[0])
            rows += [Row(name, maker.texts(name)) for name in options.rows]
            running[0].pause()
        for row in rows:
            row.measure(running, options.rounds)
    finally:
        for server in running:
            server.stop()
    return True


def measure(options, model, dtype, logs):
    """Prints the table's lines of one dtype; returns the verdicts."""
    rows = []
    if not measure_once(options, model, dtype, logs, rows):
        print(f"| {model.name} | {dtype} | not of this processor | | | | | | |", flush=True)
        return []
    rounds = options.rounds
    while rounds < options.most_rounds:
        again = [row for row in rows if row.verdict(options.bound) != "fine"]
        if not again:
            break
        measure_once(options, model, dtype, logs, again)
        rounds += options.rounds
    for row in rows:
        cells = [model.name, dtype, ROWS[row.name], *row.cells(options.bound)]
        print(f"| {' | '.join(cells)} |", flush=True)
    return [row.verdict(options.bound) for row in rows]


def arguments():
    parser = argparse.ArgumentParser(
        prog="bench/check_speed.sh", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path, metavar="OLD")
    parser.add_argument("new", type=pathlib.Path, metavar="NEW")
    parser.add_argument("--model", type=pathlib.Path, action="append", metavar="DIR",
                        help="may be given more than once (default models/all-MiniLM-L6-v2)")
    parser.add_argument("--dtype", action="append", choices=DTYPES)
    parser.add_argument("--row", action="append", dest="rows", choices=list(ROWS))
    parser.add_argument("--bound", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--most-rounds", type=int, default=60,
                        help="that a row gets which is not fine (default 60)")
    options = parser.parse_args()
    options.old, options.new = options.old.resolve(), options.new.resolve()
    options.rows = options.rows or list(ROWS)
    if options.rounds < 2:
        parser.error("quartiles need 2 rounds at least")
    return options


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are stopped
    print("| model | dtype | row | OLD, ms | NEW/OLD (quartiles) | OLD/OLD (quartiles) | noise | rounds "
          "| |\n|---|---|---|---|---|---|---|---|---|")
    verdicts = []
    with tempfile.TemporaryDirectory() as logs:
        for model in options.model or [ROOT / "models/all-MiniLM-L6-v2"]:
            for dtype in options.dtype or DTYPES:
                verdicts += measure(options, model.resolve(), dtype, pathlib.Path(logs))
    print(f"\n{verdicts.count('fine')} rows fine, {verdicts.count('WORSE')} worse by more than "
          f"{options.bound:.1%} and the noise, {verdicts.count('unclear')} unclear")
    sys.exit(1 if "WORSE" in verdicts else 3 if "unclear" in verdicts else 0)


if __name__ == "__main__":
    main()
