"""`embed`, `bench` and `selftest`: what computes without a server."""

import json
import subprocess

import numpy as np
import pytest

from server import BINARY, DATA, PATIENCE_S, TINY_BGE_M3, TINY_RERANKER, Server, environment, run
from test_download_command import drawings, on_a_terminal
from test_lifecycle import free_port, wait_for


def embed(*arguments, model=TINY_BGE_M3, **options):
    return run("embed", "--model", model, *arguments, **options)


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def test_vectors_are_those_of_the_server(tiny_bge_m3):
    texts = ["one", "two words", ""]
    result = embed("--sparse", "--colbert", *texts)
    assert result.returncode == 0 and result.stderr == ""
    answer = tiny_bge_m3.post(
        "/embed", {"texts": texts, "return_sparse": True, "return_colbert_vecs": True}
    ).json()
    for i, line in enumerate(lines_of(result.stdout)):
        assert line == {
            "embedding": answer["embeddings"][i],
            "lexical_weights": answer["lexical_weights"][i],
            "colbert_vecs": answer["colbert_vecs"][i],
        }


@pytest.fixture(scope="module")
def locked():
    with Server(TINY_BGE_M3, "--api-key", "s3cret") as server:
        yield server


def test_a_server_gives_the_same(locked):
    texts = "\n".join(f"text {i}" for i in range(100))
    more = ("--sparse", "--colbert", "--dimensions", 8)
    here = embed(*more, input=texts)
    env = environment(EMBEDDING_SERVICE_API_KEY="s3cret")
    there = run("embed", "--url", locked.url, *more, input=texts, env=env)
    assert there.returncode == 0, there.stderr
    assert there.stdout == here.stdout
    slash = run("embed", "--url", locked.url + "/", "--api-key", "s3cret", "text")
    assert slash.stdout == embed("text").stdout


def test_a_server_that_refuses_is_heard(locked):
    refused = run("embed", "--url", locked.url, "text")
    assert refused.returncode == 1 and "/embed: " in refused.stderr and "key" in refused.stderr
    nobody = run("embed", "--url", f"http://127.0.0.1:{free_port()}", "text")
    assert nobody.returncode == 1 and "connect" in nobody.stderr
    wrong = run("embed", "--url", locked.url, "--api-key", "s3cret", "--dimensions", 9999, "text")
    assert wrong.returncode == 2 and "dimensions" in wrong.stderr


def test_options_shape_the_vectors():
    (cut,) = lines_of(embed("--dimensions", 4, "text").stdout)
    assert len(cut["embedding"]) == 4 and np.linalg.norm(cut["embedding"]) == pytest.approx(1)
    (raw,) = lines_of(embed("--normalize=false", "text").stdout)
    assert np.linalg.norm(raw["embedding"]) != pytest.approx(1, abs=1e-3)
    (sparse,) = lines_of(embed("--dense=false", "--sparse", "text").stdout)
    assert list(sparse) == ["lexical_weights"]
    (dash,) = lines_of(embed("--dense", "--", "--text").stdout)
    assert list(dash) == ["embedding"]


def test_lines_of_standard_input_in_their_order():
    texts = [f"text {i} " + "long " * (i % 50) for i in range(1000)]
    result = embed(input="\r\n".join(texts))
    assert result.returncode == 0
    vectors = [line["embedding"] for line in lines_of(result.stdout)]
    assert len(vectors) == len(texts)
    for i in (0, 1, 31, 32, 33, 511, 999):
        assert lines_of(embed(texts[i]).stdout) == [{"embedding": vectors[i]}]


def test_a_line_that_cannot_be_embedded_is_named():
    lines = [b"fine", b"bad \xff", b"fine too"]
    command = [BINARY, "embed", "--model", TINY_BGE_M3]
    run_bytes = lambda *more: subprocess.run(  # noqa: E731
        [*command, *more], input=b"\n".join(lines), env=environment(), capture_output=True, timeout=PATIENCE_S
    )
    result = run_bytes()
    found = lines_of(result.stdout.decode())
    assert result.returncode == 1 and b"1 of 3 texts could not be embedded" in result.stderr
    assert list(found[1]) == ["line", "error"] and found[1]["line"] == 2 and "UTF-8" in found[1]["error"]
    assert "embedding" in found[0] and "embedding" in found[2]
    strict = run_bytes("--strict")
    assert strict.returncode != 0 and b"line 2: " in strict.stderr
    assert lines_of(strict.stdout.decode()) == found[:1]


def test_a_text_that_is_too_long_is_an_error_if_it_may_not_be_cut():
    long = "word " * 20000
    assert lines_of(embed(input=long).stdout)[0]["embedding"]
    result = embed("--truncate=false", input=long)
    assert result.returncode == 1 and "token" in lines_of(result.stdout)[0]["error"]


def test_it_resumes_behind_the_lines_that_are_whole(tmp_path):
    texts = "\n".join(f"text {i}" for i in range(100))
    out = tmp_path / "out.jsonl"
    assert embed("--output", out, input=texts).returncode == 0
    whole = out.read_text()
    assert len(lines_of(whole)) == 100
    refused = embed("--output", out, input=texts)
    assert refused.returncode == 2 and "--resume" in refused.stderr
    assert out.read_text() == whole
    # Cut off in the middle of the 41st line.
    begin = sum(len(line) + 1 for line in whole.splitlines()[:40])
    out.write_text(whole[: begin + 20])
    assert embed("--output", out, "--resume", input=texts).returncode == 0
    assert out.read_text() == whole
    assert embed("--output", out, "--resume", input=texts).returncode == 0
    assert out.read_text() == whole
    few = embed("--output", out, "--resume", input="only one")
    assert few.returncode == 2 and "has 100 lines" in few.stderr


def test_killed_in_the_middle_it_resumes(tmp_path):
    out = tmp_path / "out.jsonl"
    process = subprocess.Popen(
        [BINARY, "embed", "--model", TINY_BGE_M3, "--output", out], env=environment(), stdin=subprocess.PIPE
    )
    # More than is read ahead, and no end: it cannot be done.
    for i in range(2000):
        process.stdin.write(f"text {i}\n".encode())
    process.stdin.flush()
    wait_for(lambda: out.exists() and out.stat().st_size > 0)
    process.kill()
    process.wait()
    process.stdin.close()
    texts = "\n".join(f"text {i}" for i in range(2000))
    assert embed("--output", out, "--resume", input=texts).returncode == 0
    assert out.read_text() == embed(input=texts).stdout


def test_a_reader_that_leaves_is_an_error():
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [BINARY, "embed", "--model", TINY_BGE_M3, "text"], stdout=full, stderr=subprocess.PIPE,
            env=environment(), text=True,
        )  # fmt: skip
    assert result.returncode == 1 and "standard output cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--dense=false", "text"], 2, "leaves nothing"),
        (["--resume", "text"], 2, "--output"),
        (["--dimensions", "9999", "text"], 2, "dimensions"),
        (["--prompt-name", "nope", "text"], 2, "only these prompts"),
    ],
)
def test_what_no_text_can_be_embedded_with(arguments, code, part):
    result = embed(*arguments)
    assert result.returncode == code and part in result.stderr and result.stdout == ""


def test_a_model_that_is_not_there():
    result = embed("text", model="/no/such/directory")
    assert result.returncode == 3 and "/no/such/directory" in result.stderr


@pytest.mark.parametrize("model", [TINY_BGE_M3, TINY_RERANKER, DATA / "tiny-splade", DATA / "tiny-classifier"])
@pytest.mark.parametrize("dtype", ["f32", "int8"])
def test_selftest_passes(model, dtype):
    result = run("selftest", "--model", model, "--dtype", dtype)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "WRONG" not in result.stdout and "checks passed" in result.stdout


def test_selftest_knows_the_published_scores(tmp_path):
    """A model that calls itself bge-m3 and is another does not have them."""
    (tmp_path / "BAAI").mkdir()
    (tmp_path / "hub").mkdir()
    commit = "0" * 40
    snapshot = tmp_path / "hub" / "models--BAAI--bge-m3" / "snapshots" / commit
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(TINY_BGE_M3)
    refs = tmp_path / "hub" / "models--BAAI--bge-m3" / "refs"
    refs.mkdir()
    (refs / "main").write_text(commit)
    result = run("selftest", env=environment(HF_HUB_CACHE=str(tmp_path / "hub")))
    assert result.returncode == 1, result.stderr
    assert result.stdout.count("WRONG") >= 4 and "published 0.6265" in result.stdout
    assert "published 0.1955" in result.stdout


def test_bench_measures():
    result = run("bench", "--model", TINY_BGE_M3, "--seconds", 0, "--json")
    assert result.returncode == 0, result.stderr
    rows = lines_of(result.stdout)
    assert [row["texts"] for row in rows] == [1, 10, 100, 1, 10, 1]
    assert rows[-1]["clients"] == 16
    for row in rows:
        assert row["texts_per_second"] > 0 and row["median_ms"] > 0 and row["flops"] > 0
        assert row["machine_flops"] > 1e9
    assert "share" in run("bench", "--model", TINY_BGE_M3, "--seconds", 0).stdout


def test_a_terminal_is_told_how_many_there_were(tmp_path):
    (tmp_path / "texts").write_text("text\n" * 321)
    env = environment(TERM="xterm")
    env.pop("NO_COLOR", None)
    with open(tmp_path / "texts") as texts:
        written = on_a_terminal(80, "embed", "--model", TINY_BGE_M3, env=env, stdin=texts)
    assert drawings(written)[-1].startswith("embedded  321 texts ")
