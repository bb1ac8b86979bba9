"""Measures the engines of one precision, in turn."""

import statistics
import sys

import load
import numpy as np
import peak
from engines import Settings
from model import WORK
from server import Server
from texts import LATENCY, LOAD

LOWEST_COSINE = 0.98  # to this server's f32 vectors; below it an engine computes something else
LONG = "8000"  # a case apart: some engines take gigabytes for it


def say(text):
    print(text, file=sys.stderr, flush=True)


def warm_page_cache(file):
    """Start-up is measured with the model in memory."""
    for path in file.parent.glob(f"{file.stem}*") if file.suffix != ".gguf" else [file]:
        with open(path, "rb") as stream:
            while stream.read(1 << 24):
                pass


def start(engine, settings):
    warm_page_cache(engine.prepare())
    log = WORK / f"logs/{engine.name}-{engine.precision}.log"
    return Server(engine, settings, log)


def lowest_cosine(vectors, reference):
    a, b = np.array(vectors), np.array(reference)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / norms).min())


def start_all(engines, settings, check, reference, servers):
    """Adds to `servers` pairs of a server that is ready, right and paused, and its record; returns
    the records of all engines."""
    records = []
    for engine in engines:
        record = {"name": engine.name, "label": engine.label, "precision": engine.precision,
                  "problem": None, "latency": {}, "load": {}}
        records.append(record)
        try:
            server = start(engine, settings)
        except Exception as error:
            record["problem"] = f"does not start: {error}"
            say(f"{engine.label} {engine.precision}: {record['problem']}")
            continue
        record |= {"ready_s": server.ready_s, "anonymous_mb": server.anonymous_mb}
        try:
            record["cosine"] = lowest_cosine(server.embed(check), reference)
            if not record["cosine"] > LOWEST_COSINE:
                record["problem"] = f"wrong vectors: cosine to f32 {record['cosine']:.4f}"
        except Exception as error:
            record["problem"] = f"does not answer: {error}"
        say(f"{engine.label} {engine.precision}: ready after {server.ready_s:.1f} s, "
            f"{record['problem'] or 'cosine {:.5f}'.format(record['cosine'])}")
        if record["problem"]:
            server.stop()
        else:
            server.pause()
            servers.append((server, record))
    return records


def repeats(texts, longest):
    """Requests a round: a short one is repeated."""
    tokens = len(texts) * longest
    return 7 if tokens < 100 else 3 if tokens < 1000 else 1


def latency(server, record, case, texts, count, warm):
    """Adds this round's median, ms. `warm`: first asks the same without measuring."""
    server.resume()
    load.latencies_ms(server, texts if warm else texts[:1], 1)
    times = load.latencies_ms(server, texts, count)
    server.pause()
    record["latency"].setdefault(case, []).append(statistics.median(times))


def clients(server, record, case, texts, seconds):
    server.resume()
    load.latencies_ms(server, texts[:1], 1)
    record["load"].setdefault(case, []).append(load.clients(server, LOAD[case], texts, seconds))
    server.pause()


def guarded(server, record, servers, step):
    """An engine that fails is reported and asked nothing more."""
    try:
        step()
    except Exception as error:
        record["problem"] = f"failed: {type(error).__name__}: {error}"
        say(f"{record['label']} {record['precision']}: {record['problem']}")
        server.stop()
        servers.remove((server, record))


def together(engines, maker, cases, options, check, reference, peaks):
    """All cases but LONG: every engine's server runs; all but one are stopped at any moment."""
    texts = {case: found for case in cases if case in LATENCY and case != LONG
             for found in [maker.case(case)] if found}
    lengths = {case: [maker.length(t) for t in found] for case, found in texts.items()}
    pool = maker.short(options.texts)
    longest = max(map(max, lengths.values()), default=0)
    servers = []
    try:
        records = start_all(
            engines, Settings(options.threads, longest), check, reference, servers)
        for round in range(options.rounds):
            for case in (case for case in cases if case in texts or case in LOAD):
                say(f"round {round + 1} of {options.rounds}: {case}")
                peaks.append(peak.measure(options.bench))
                turn = round % max(1, len(servers))
                for server, record in servers[turn:] + servers[:turn]:
                    if case in LOAD:
                        step = lambda: clients(server, record, case, pool, options.load_seconds)
                    else:
                        count = repeats(texts[case], max(lengths[case]))
                        step = lambda: latency(
                            server, record, case, texts[case], count, round == 0)
                    guarded(server, record, servers, step)
        for server, record in servers:
            record["peak_mb"] = server.memory_mb("VmHWM")
    finally:
        for server, _ in servers:
            server.stop()
    return records, lengths


def alone(engines, records, maker, options, peaks):
    """The case LONG: each server is started for it, asked once, and stopped. None in place of a
    time means more than the limit."""
    texts = maker.case(LONG)
    lengths = [maker.length(text) for text in texts]
    for _ in range(options.long_rounds):
        peaks.append(peak.measure(options.bench))
        for engine, record in zip(engines, records):
            times = record["latency"].setdefault(LONG, [])
            if record["problem"] or None in times:
                continue
            say(f"{engine.label} {engine.precision}: {max(lengths)} tokens")
            server = None
            try:
                server = start(engine, Settings(options.threads, max(lengths)))
                load.latencies_ms(server, [texts[0][:200]], 1)
                times += load.latencies_ms(server, texts, 1, options.long_limit)
                record["peak_long_mb"] = server.memory_mb("VmHWM")
            except TimeoutError:
                times.append(None)
            except Exception as error:
                record["problem_long"] = f"{type(error).__name__}: {error}"
                say(record["problem_long"])
            finally:
                if server:
                    server.stop()
    return lengths
