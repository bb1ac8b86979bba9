"""The official openai package of npm, by openai.mjs."""

import base64
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def given(minilm, texts, ids):
    script = Path(__file__).with_name("openai.mjs")
    done = subprocess.run(
        ["node", script, minilm.url + "/v1"],
        input=json.dumps({"texts": texts, "ids": ids}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", ["default", "float", "one", "ids"])
def test_vectors(given, same, way):
    same(given[way])


def test_base64_and_dimensions(given, same):
    same([np.frombuffer(base64.b64decode(text), "<f4") for text in given["base64"]])
    assert given["dimensions"] == 100


def test_models(given):
    assert given["models"] == ["all-MiniLM-L6-v2"]


@pytest.mark.parametrize(
    "call, name, status, param, message",
    [
        ("empty", "BadRequestError", 400, "input", "input: expected at least one text"),
        ("number", "UnprocessableEntityError", 422, "input", "input: expected"),
        ("many", "UnprocessableEntityError", 422, None, "batch size 2049 > maximum"),
        ("dimensions", "UnprocessableEntityError", 422, "dimensions", "384"),
        ("model", "NotFoundError", 404, "model", "no such model"),
    ],
)
def test_errors_are_its_own(given, call, name, status, param, message):
    error = given["errors"][call]
    assert error["name"] == name and error["known"] and error["status"] == status
    assert error["type"] == "invalid_request_error" and error["requestID"]
    assert message in error["message"]
    assert param is None or error["param"] == param
