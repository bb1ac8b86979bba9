"""Measures one server: the latency of a request, and many clients at a time."""

import itertools
import math
import statistics
import threading
import time

REQUEST_LIMIT_S = 600


def latencies_ms(server, texts, repeats, limit_s=REQUEST_LIMIT_S):
    """Milliseconds of `repeats` equal requests one after another on one connection, until the last
    byte of each answer."""
    connection, body, times = server.connect(limit_s), server.body(texts), []
    connection.connect()
    for _ in range(repeats):
        start = time.perf_counter()
        server.post(connection, body)
        times.append((time.perf_counter() - start) * 1000)
    connection.close()
    return times


def percentile(values, share):
    """The smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def clients(server, count, texts, seconds):
    """`count` clients, each on its own connection, each asks for one text as soon as it has the
    answer to the one before. None begins a request after `seconds`; all wait for their last answer.

    Returns texts/s (answers over the time until the last one), p50, p99 and the longest in ms,
    the number of answers and of failures, and the first failure's message.
    """
    numbers, lock = itertools.count(), threading.Lock()
    times, failures, last = [], [], [0.0]
    gate = threading.Event()

    def client():
        connection = server.connect(REQUEST_LIMIT_S)
        gate.wait()
        first = True
        while first or time.perf_counter() < begin + seconds:
            first = False
            body = server.body([texts[next(numbers) % len(texts)]])
            start = time.perf_counter()
            try:
                server.post(connection, body)
            except Exception as error:  # whatever it is, the request failed
                with lock:
                    failures.append(f"{type(error).__name__}: {error}")
                connection.close()
                time.sleep(0.1)
                continue
            end = time.perf_counter()
            with lock:
                times.append((end - start) * 1000)
                last[0] = max(last[0], end)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(count)]
    for thread in threads:
        thread.start()
    begin = time.perf_counter()
    gate.set()
    for thread in threads:
        thread.join()
    result = {"answers": len(times), "failures": len(failures),
              "failure": failures[0] if failures else None}
    if times:
        result |= {"texts_s": len(times) / (last[0] - begin), "p50_ms": statistics.median(times),
                   "p99_ms": percentile(times, 0.99), "longest_ms": max(times)}
    return result
