"""What the cache saves, and what it costs where it saves nothing.

    bench/cache.py [BINARY] [--model DIR] [--rounds 30]

Two servers of one binary, without a cache and with one, take turns in each round, each stopped while the
other is asked. A table of medians in ms: from the request's sending to its answer's last byte, and at the
server, from its arrival to its answer, which its histogram te_request_duration has. Texts of a row that is
computed are new in each request. Then the ratio of with to without where nothing is found, with its
quartiles. Needs the standard library only.
"""

import argparse
import itertools
import pathlib
import re
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench/compare"))

import server as servers  # noqa: E402

REQUESTS = 40  # of a turn
GAP_S = 0.06  # what is left of a turn has this long to end

numbers = itertools.count()


def new_text():
    return f"{next(numbers)} is the number of this text, which nobody has asked for before it"


class Ours:
    ready_path, path = "/readyz", "/embed"

    def __init__(self, binary, model, cache):
        self.binary, self.model, self.cache = binary, model, cache

    def command(self, port, settings):
        return [self.binary, "serve", "--port", port, "--model", self.model, "--cache", self.cache]

    def request(self, texts):
        return {"texts": texts}


def at_server(server):
    """Seconds and number of answers of /embed so far, by the server's own clock."""
    connection = server.connect(60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = [re.search(rf'te_request_duration_{name}{{path="/embed",status="200"}} (.*)', text)
             for name in ("sum", "count")]
    return [float(match.group(1)) if match else 0 for match in found]


def turn(server, bodies, requests):
    """Medians in ms at the client and mean at the server of so many requests."""
    time.sleep(GAP_S)
    server.resume()
    connection = server.connect(60)
    server.post(connection, server.body([new_text()]))  # the threads are awake
    before, times = at_server(server), []
    for _ in range(requests):
        body = server.body(bodies())
        start = time.perf_counter()
        server.post(connection, body)
        times.append((time.perf_counter() - start) * 1000)
    connection.close()
    after = at_server(server)
    server.pause()
    return statistics.median(times), 1000 * (after[0] - before[0]) / (after[1] - before[1])


KNOWN = [f"text {i}, which is asked for again and again, as the texts of a page are" for i in range(100)]
# Row, cache, texts, requests of a turn.
ROWS = [
    ("1 text, computed, no cache", "0", lambda: [new_text()], REQUESTS),
    ("1 text, computed, cache", "64MB", lambda: [new_text()], REQUESTS),
    ("1 text, found", "64MB", lambda: KNOWN[:1], REQUESTS),
    ("100 texts, computed, no cache", "0", lambda: [new_text() for _ in range(100)], 3),
    ("100 texts, computed, cache", "64MB", lambda: [new_text() for _ in range(100)], 3),
    ("100 texts, 99 found", "64MB", lambda: [new_text(), *KNOWN[1:]], REQUESTS),
    ("100 texts, found", "64MB", lambda: KNOWN, REQUESTS),
]
PAIRS = [(0, 1), (3, 4)]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path, nargs="?",
                        default=ROOT / "build/release/embedding-service")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "models/all-MiniLM-L6-v2")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    running, results = {}, [[] for _ in ROWS]
    with tempfile.TemporaryDirectory() as logs:
        try:
            for cache in ("0", "64MB"):
                engine = Ours(options.binary.resolve(), options.model.resolve(), cache)
                running[cache] = servers.Server(engine, None, pathlib.Path(logs) / f"{cache}.log")
                connection = running[cache].connect(60)
                running[cache].post(connection, running[cache].body(KNOWN))
                connection.close()
                running[cache].pause()
            for number in range(options.rounds):
                order = list(range(len(ROWS)))
                for i in order if number % 2 == 0 else reversed(order):
                    _, cache, bodies, requests = ROWS[i]
                    results[i].append(turn(running[cache], bodies, requests))
        finally:
            for server in running.values():
                server.stop()
    print("| | client, ms | server, ms |\n|---|---|---|")
    for (name, *_), times in zip(ROWS, results):
        client, server = (statistics.median(column) for column in zip(*times))
        print(f"| {name} | {client:.3f} | {server:.3f} |")
    for without, cached in PAIRS:
        ratios = [b[0] / a[0] for a, b in zip(results[without], results[cached])]
        lower, median, upper = statistics.quantiles(ratios, n=4)
        print(f"{ROWS[cached][0]} / no cache: {median:.3f} ({lower:.3f} to {upper:.3f})")


if __name__ == "__main__":
    main()
