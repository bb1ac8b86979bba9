"""What bf16 and int8 cost in accuracy: this server's vectors against those it gives in f32."""

import engines
import numpy as np
from model import ROOT, WORK, read_model
from server import Server
from texts import fixture_texts

MODEL = ROOT / "models/all-MiniLM-L6-v2"
EVERY = 5  # of the fixture's 1,785 texts, as tests/engine/int8_accuracy_test.cc does
NEIGHBOURS = 10
REQUEST = 100  # texts


def vectors(binary, precision, texts, threads):
    """Unit vectors [texts, dimensions] from a server started for this."""
    model = read_model(MODEL)
    server = Server(engines.ours(model, binary, precision), engines.Settings(threads, model.longest),
                    WORK / f"logs/accuracy-{precision}.log")
    try:
        rows = [v for i in range(0, len(texts), REQUEST) for v in server.embed(texts[i:i + REQUEST])]
    finally:
        server.stop()
    return np.array(rows)


def neighbours(rows):
    """Of each row, the others with the largest cosines."""
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    return [set(row) for row in np.argsort(-cosines, axis=1)[:, :NEIGHBOURS].tolist()]


def measure(binary, precisions, threads):
    """precision -> {"texts", "lowest" and "mean" cosine to f32, "same_neighbours" of the nearest}"""
    texts = fixture_texts("all-MiniLM-L6-v2")[::EVERY]
    exact = vectors(binary, "f32", texts, threads)
    near, results = neighbours(exact), {}
    for precision in precisions:
        rows = vectors(binary, precision, texts, threads)
        cosines = (exact * rows).sum(axis=1)
        same = [len(a & b) for a, b in zip(near, neighbours(rows))]
        results[precision] = {
            "texts": len(texts), "lowest": float(cosines.min()), "mean": float(cosines.mean()),
            "same_neighbours": float(np.mean(same)), "of": NEIGHBOURS}
    return results
