#!/usr/bin/env python3
"""Measures how exactly a server keeps to --rate-limit-requests: 1,000 requests a second from 64 clients.

    bench/check_rate_limit.py BINARY [--seconds S]

Twice: 64 clients with a key each, of which each may have 16 a second and half ask for four times that,
the others for twice; and 64 clients that share one key, which may have 1,000. After the bursts are used
up the answers of S seconds are counted. Fails where the rate that was let through, all together or that
of any key, is more than 2 % off, or more than 2 requests where 2 % are fewer. It asks GET /v1/models,
which counts against the limits and computes nothing.
"""

import argparse
import asyncio
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = ROOT / "tests" / "data" / "tiny-bge-m3"
CLIENTS = 64
WARM_UP_S = 2


def start(binary, *options):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EMBEDDING_")}
    process = subprocess.Popen(
        [binary, "serve", "--model", MODEL, "--port", "0", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    for line in process.stdout:
        if match := re.search(r"running on http://.*:(\d+)", line):
            return process, int(match.group(1))
    raise RuntimeError("the server did not start")


async def client(port, key, rate, begin, seconds):
    """Asks at the rate whatever it is answered; gives how often it was let through when it counted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET /v1/models HTTP/1.1\r\nHost: h\r\nX-API-Key: {key}\r\n\r\n".encode()
    let_through = asked = 0
    counts = begin + WARM_UP_S
    end = counts + seconds
    due = begin
    while due < end:
        await asyncio.sleep(max(0, due - time.monotonic()))
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        await reader.readexactly(length)
        now = time.monotonic()
        if counts <= now < end:
            asked += 1
            let_through += head.startswith(b"HTTP/1.1 200")
        due += 1 / rate
    writer.close()
    return let_through, asked


async def ask(port, keys, rates, seconds):
    begin = time.monotonic() + 0.2
    # Not all in step.
    return await asyncio.gather(
        *(
            client(port, key, rate, begin + i / len(keys) / rate, seconds)
            for i, (key, rate) in enumerate(zip(keys, rates))
        )
    )


def measure(binary, limit, keys, rates, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as file:
        file.writelines(f"client-{i} {key}\n" for i, key in enumerate(sorted(set(keys))))
        file.flush()
        process, port = start(
            binary, "--rate-limit-requests", limit, "--api-keys-file", file.name
        )
        try:
            return asyncio.run(ask(port, keys, rates, seconds))
        finally:
            process.terminate()
            process.wait()


def off(count, expected):
    return abs(count - expected) > max(2, 0.02 * expected)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    seconds = arguments.seconds
    wrong = False

    keys = [f"k{i:02}" for i in range(CLIENTS)]
    rates = [64 if i % 2 else 32 for i in range(CLIENTS)]
    counts = measure(arguments.binary, 16, keys, rates, seconds)
    each = [let_through for let_through, _ in counts]
    wrong |= any(off(count, 16 * seconds) for count in each) or off(sum(each), 1024 * seconds)
    print(
        f"a key each: {sum(asked for _, asked in counts) / seconds:.0f} requests/s asked, "
        f"{sum(each) / seconds:.1f} let through of 1024; of each key {min(each) / seconds:.2f} to "
        f"{max(each) / seconds:.2f} of 16"
    )

    counts = measure(arguments.binary, 1000, ["shared"] * CLIENTS, [31] * CLIENTS, seconds)
    total = sum(let_through for let_through, _ in counts)
    wrong |= off(total, 1000 * seconds)
    print(
        f"one key: {sum(asked for _, asked in counts) / seconds:.0f} requests/s asked, "
        f"{total / seconds:.1f} let through of 1000"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
