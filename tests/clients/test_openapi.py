"""Thousands of requests made up by schemathesis from /openapi.json, right ones and wrong ones."""

import re
import subprocess
import sys
from pathlib import Path

from server import TINY_BGE_M3, TINY_RERANKER, Server

# Each answer is no 5xx and as described: status, content type, headers, body. What the description
# refuses is refused, and methods that it does not have are a 405 with Allow. That what it takes is
# taken is not asked: which prompts, dimensions and token ids there are is up to the model.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
]
EXAMPLES = 200  # at most, for each route
MIN_REQUESTS = 3000


def test_every_answer_is_as_described(tmp_path):
    arguments = ("--model", TINY_RERANKER, "--payload-limit", "100000")
    with Server(TINY_BGE_M3, *arguments) as server:
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                *("--no-color", "run", server.url + "/openapi.json"),
                *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
                *("--max-examples", str(EXAMPLES), "--seed", "1", "--generation-deterministic"),
                *("--continue-on-failure", "--no-shrink", "--warnings", "off"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.get("/health").status_code == 200
    assert int(re.search(r"(\d+) generated", done.stdout).group(1)) >= MIN_REQUESTS
