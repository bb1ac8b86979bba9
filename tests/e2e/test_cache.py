"""The cache of embeddings, in memory and in a real Redis that is away, slow, full or closed."""

import pytest

from redis_server import Redis, until
from server import MINILM, TINY_BGE_M3, TINY_RERANKER, Server, environment, run

RAW = {"Accept": "application/octet-stream"}


def raw(server, texts, **fields):
    """How many were in the cache, and the vectors in every bit."""
    response = server.post("/embed", {"texts": texts, **fields}, headers=RAW)
    assert response.status_code == 200, response.text
    return response.headers.get("x-cache"), response.content


def metric(server, name, store=None):
    label = f'{{store="{store}"}}' if store else ""
    for line in server.get("/metrics").text.splitlines():
        if line.startswith(f"{name}{label} "):
            return float(line.split()[-1])
    raise AssertionError(f"no {name}{label}")


def is_up(server):
    return metric(server, "embedding_cache_redis_up", "redis") == 1


def with_redis(redis, *arguments, model=TINY_BGE_M3, credentials=None, **options):
    env = environment(EMBEDDING_SERVICE_CACHE=redis.url(credentials))
    return Server(model, *arguments, env=env, **options)


@pytest.fixture(scope="module")
def without():
    with Server(MINILM, "--cache", "0") as server:
        yield server


def test_a_text_is_computed_once(minilm, without):
    texts = ["the first of a kind", "and the second"]
    assert raw(minilm, texts)[0] == "0/2"
    state, cached = raw(minilm, [*texts, "the third"])
    assert state == "2/3"
    assert raw(minilm, [*texts, "the third"]) == ("3/3", cached)
    assert raw(without, [*texts, "the third"]) == (None, cached)
    assert metric(minilm, "embedding_cache_hits", "memory") >= 5
    assert minilm.get("/info").json()["cache_bytes"] == 64_000_000
    assert without.get("/info").json()["cache_bytes"] == 0
    assert "embedding_cache" not in without.get("/metrics").text


def test_what_a_request_chooses_does_not_matter_to_the_cache(minilm, without):
    texts = ["a text that is asked for in many ways"]
    raw(minilm, texts)
    for fields in ({"normalize": False}, {"dimensions": 17}, {"dimensions": 100, "normalize": False}):
        state, cached = raw(minilm, texts, **fields)
        assert (state, cached) == ("1/1", raw(without, texts, **fields)[1])
    body = {"input": texts, "encoding_format": "base64"}
    openai = minilm.post("/v1/embeddings", body)
    assert openai.headers["x-cache"] == "1/1"
    assert openai.json() == without.post("/v1/embeddings", body).json()
    for path, body in (
        ("/embed", {"inputs": texts}),
        ("/embed", {"texts": texts, "output_dtype": "int8"}),
        ("/api/embed", {"input": texts}),
        ("/api/embeddings", {"prompt": texts[0]}),
        ("/vertex", {"instances": [{"inputs": texts}]}),
    ):
        assert minilm.post(path, body).headers["x-cache"] == "1/1", path


def test_every_head_and_scores_come_from_it_as_they_were():
    everything = {"texts": ["hello world", "Привет"], "return_sparse": True,
                  "return_colbert_vecs": True}  # fmt: skip
    rerank = {"query": "hello", "documents": ["hello world", "Привет"]}
    similarity = {"inputs": {"source_sentence": "hello", "sentences": ["hello world"]}}
    with (
        Server(TINY_BGE_M3, "--model", TINY_RERANKER) as cached,
        Server(TINY_BGE_M3, "--model", TINY_RERANKER, "--cache", "0") as without,
    ):
        for path, body, hits in (
            ("/embed", everything, "2/2"),
            ("/embed_sparse", {"inputs": ["hello world"]}, "1/1"),
            ("/rerank", {"query": "hello", "texts": ["hello world"]}, "1/1"),
            ("/v1/rerank", rerank | {"model": "tiny-bge-m3", "mode": "hybrid"}, "3/3"),
            ("/v1/rerank", rerank | {"model": "tiny-reranker"}, "2/2"),
            ("/predict", {"inputs": ["hello world"]}, "1/1"),
            ("/similarity", similarity, "2/2"),
        ):
            first = cached.post(path, body)
            second = cached.post(path, body)
            assert second.headers["x-cache"] == hits, path
            expected = without.post(path, body)
            assert "x-cache" not in expected.headers
            for answer in (first, second):
                found, wanted = answer.json(), expected.json()
                if "id" in found:
                    found.pop("id"), wanted.pop("id")
                assert found == wanted, path


def test_usage_and_cut_texts_are_told_as_if_they_were_computed(minilm):
    body = {"texts": ["a long text " * 300]}
    first = minilm.post("/embed", body)
    second = minilm.post("/embed", body)
    assert second.headers["x-cache"] == "1/1"
    assert second.headers["x-truncated"] == first.headers["x-truncated"] == "1"
    assert second.json() == first.json()
    refused = minilm.post("/embed", body | {"truncate": False})
    assert refused.status_code == 422


def test_two_processes_share_a_redis():
    texts = ["one for all", "and all for one"]
    with Redis() as redis:
        with with_redis(redis) as first:
            until(lambda: is_up(first), "Redis")
            computed = raw(first, texts)
            assert computed[0] == "0/2"
        # Told to stop, it has sent what it had.
        assert redis.entries() == 2
        assert 0 < int(redis.ask("TTL", redis_key(redis)).split(b":")[-1].split()[0]) <= 604800
        with with_redis(redis) as second:
            until(lambda: is_up(second), "Redis")
            assert raw(second, texts) == ("2/2", computed[1])
            assert metric(second, "embedding_cache_hits", "redis") == 2
            # From here on they are in its memory.
            assert raw(second, texts) == ("2/2", computed[1])
            assert metric(second, "embedding_cache_hits", "redis") == 2
        # Other numbers are other entries.
        with with_redis(redis, "--dtype", "int8") as other:
            until(lambda: is_up(other), "Redis")
            assert raw(other, texts)[0] == "0/2"


def redis_key(redis):
    return redis.ask("RANDOMKEY").split(b"\r\n")[1].decode()


def test_without_memory_in_front_redis_is_asked_each_time():
    with Redis() as redis, Server(TINY_BGE_M3, "--cache", "0", "--cache", redis.url()) as server:
        until(lambda: is_up(server), "Redis")
        raw(server, ["word"])
        until(lambda: redis.entries() == 1, "the entry")
        for asked in (1, 2):
            assert raw(server, ["word"])[0] == "1/1"
            assert metric(server, "embedding_cache_hits", "redis") == asked


def test_many_texts_are_asked_for_at_once():
    texts = [f"text {i}" for i in range(1000)]
    with Redis() as redis, Server(TINY_BGE_M3, "--cache", "0", "--cache", redis.url()) as server:
        until(lambda: is_up(server), "Redis")
        body = {"inputs": texts}
        first = server.post("/embed", body)
        until(lambda: redis.entries() == 1000, "the entries")
        second = server.post("/embed", body)
        assert second.headers["x-cache"] == "1000/1000"
        assert second.json() == first.json()


def test_a_redis_that_is_killed_is_done_without_until_it_is_there_again():
    with Redis() as redis, with_redis(redis) as server:
        until(lambda: is_up(server), "Redis")
        computed = raw(server, ["before"])[1]
        redis.kill()
        assert raw(server, ["another"])[0] == "0/1"
        assert raw(server, ["before"]) == ("1/1", computed)  # out of memory
        until(lambda: not is_up(server), "the loss")
        redis.start()
        until(lambda: is_up(server), "Redis again")
        assert raw(server, ["after"])[0] == "0/1"
        until(lambda: redis.entries() == 1, "the entry")
        log = server.stderr() + server.stdout()
        assert log.count("texts are computed without it") == 1
        assert log.count("/0 answers again") == 1


def test_a_redis_that_hangs_is_waited_for_once():
    with Redis() as redis, with_redis(redis, "--cache-timeout", "500") as server:
        until(lambda: is_up(server), "Redis")
        redis.hold()
        try:
            state, computed = raw(server, ["first"])
            assert state == "0/1"
            assert not is_up(server)
            # Nobody asks it, or waits for it, any more.
            asked = metric(server, "embedding_cache_misses", "redis")
            for i in range(100):
                assert raw(server, [f"text {i}"])[0] == "0/1"
            assert metric(server, "embedding_cache_misses", "redis") == asked
            assert not is_up(server)
        finally:
            redis.let_go()
        until(lambda: is_up(server), "Redis again")
        assert metric(server, "embedding_cache_errors", "redis") >= 1
        assert raw(server, ["first"]) == ("1/1", computed)


def test_a_server_stops_though_redis_hangs():
    with Redis() as redis, with_redis(redis) as server:
        until(lambda: is_up(server), "Redis")
        redis.hold()
        try:
            raw(server, ["text"])
            assert server.stop() == 0
        finally:
            redis.let_go()


@pytest.mark.parametrize("credentials", [":wrong-secret@", "user:wrong-secret@", ""])
def test_a_wrong_password_is_told_and_not_shown(credentials):
    with Redis(password="right-secret") as redis, with_redis(redis, credentials=credentials) as server:
        assert raw(server, ["text"])[0] == "0/1"
        assert raw(server, ["text"])[0] == "1/1"
        until(lambda: "computed without it" in server.stderr() + server.stdout(), "the log's line")
        log = server.stderr() + server.stdout()
        assert ("WRONGPASS" if credentials else "NOAUTH") in log
        assert "secret" not in log
        assert not is_up(server)


def test_a_right_password_lets_in():
    with Redis(password="right-secret") as redis, with_redis(redis) as server:
        until(lambda: is_up(server), "Redis")
        assert "secret" not in server.stderr() + server.stdout()


def test_a_full_redis_is_still_read():
    with Redis("--maxmemory-policy", "noeviction") as redis:
        with with_redis(redis) as first:
            until(lambda: is_up(first), "Redis")
            raw(first, ["early"])
            until(lambda: redis.entries() == 1, "the entry")
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        with with_redis(redis) as server:
            until(lambda: is_up(server), "Redis")
            assert raw(server, ["early"])[0] == "1/1"
            for i in range(3):
                assert raw(server, [f"late {i}"])[0] == "0/1"
            until(lambda: metric(server, "embedding_cache_errors", "redis") == 3, "the refusals")
            assert is_up(server)
            log = server.stderr() + server.stdout()
            assert log.count("does not store: OOM") == 1
            redis.ask("CONFIG", "SET", "maxmemory", "0")
            raw(server, ["later"])
            until(lambda: "stores again" in server.stderr() + server.stdout(), "the log's line")
            assert redis.entries() == 2


def test_what_stands_in_redis_for_a_result_and_is_none_is_not_taken():
    with Redis() as redis, Server(TINY_BGE_M3, "--cache", "0", "--cache", redis.url()) as server:
        until(lambda: is_up(server), "Redis")
        computed = raw(server, ["word"])[1]
        until(lambda: redis.entries() == 1, "the entry")
        redis.ask("SET", redis_key(redis), "nonsense")
        assert raw(server, ["word"]) == ("0/1", computed)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cache", "much"], '--cache: expected a size, as 64MB, 1GB or 0, or a Redis'),
        (["--cache", "1GB", "--cache", "2GB"], "more than one size"),
        (["--cache", "redis://:hidden-word@"], "--cache: expected a host's name or address"),
        (["--cache", "redis//:hidden-word@host"], "--cache: expected a size"),
        (["--cache", "redis://:hidden-word@h:0"], "--cache: expected a port"),
        (["--cache-timeout", "0"], "--cache-timeout: expected a whole number from 1"),
    ],
)
def test_wrong_values_are_refused_without_showing_secrets(arguments, said):
    result = run("serve", "--model", TINY_BGE_M3, *arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert "hidden-word" not in result.stderr + result.stdout


def test_the_file_may_say_it(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("cache = 0\n")
    with Server(TINY_BGE_M3, "--config", config) as server:
        assert server.get("/info").json()["cache_bytes"] == 0
    config.write_text('cache = ["1MB"]\ncache-ttl = 60\ncache-timeout = 20\n')
    with Server(TINY_BGE_M3, "--config", config) as server:
        assert server.get("/info").json()["cache_bytes"] == 1_000_000


def test_a_page_may_read_the_header():
    with Server(TINY_BGE_M3, "--cors-origin", "*") as server:
        response = server.post("/embed", {"texts": ["a"]}, headers={"Origin": "https://a.example"})
        assert "x-cache" in response.headers["access-control-expose-headers"]
        assert response.headers["x-cache"] == "0/1"
