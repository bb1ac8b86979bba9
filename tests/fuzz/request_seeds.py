"""Seeds of what clients send: the bytes of a connection and the bodies of requests."""

import json


def http_framing():
    def request(line, headers, body=""):
        return f"{line} HTTP/1.1\r\n" + "".join(h + "\r\n" for h in ("Host: h:1", *headers)) + f"\r\n{body}"

    get = request("GET /health?a=b", [])
    post = request("POST /embed", ["Content-Length: 5", "X-API-Key: k", "Accept: */*"], "hello")
    chunks = "5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"
    return {
        "get": get,
        "pipelined": get + "\r\n" + post + get,
        "chunked": request("POST /a", ["Transfer-Encoding: chunked"], chunks) + get,
        "http10": "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "absolute": request("GET http://h/a?b", ["Connection: close"]),
        "expect": request("POST /a", ["Expect: 100-continue", "Content-Length: 1"], "x"),
        "identity": request("POST /a", ["Transfer-Encoding: identity"], get),
        "gzip": request("POST /a", ["Transfer-Encoding: gzip, chunked"], chunks),
        "encoded": request("POST /a", ["Content-Encoding: gzip", "Content-Length: 5"], "hello"),
        "large": request("POST /a", ["Content-Length: 1001"], "x" * 1001),
        "options": request("OPTIONS *", []),
        "forwarded": request("GET /a", ["X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-For: [fd00::1]:80",
                                        'Forwarded: for="[2001:db8::1]:4711";proto=https, for=10.1.2.3',
                                        f"traceparent: 00-{'4b' * 16}-{'f0' * 8}-01"]),
        "tls": b"\x16\x03\x01\x02\x00\x01",
    }


def json_body():
    bodies = {
        "/embed": [
            {"texts": ["a", "Пример", ""], "normalize": False, "truncate": True, "dimensions": 3},
            {"texts": "one", "return_sparse": True, "return_colbert_vecs": True, "prompt_name": None},
            {"texts": ["a"], "output_dtype": "ubinary", "model": "org/embedder"},
            {"texts": ["a"], "return_dense": False, "return_sparse": True},
            {"inputs": [[1, 2, 3], [4]], "truncation_direction": "Left"},
        ],
        "/embed raw": [{"texts": ["a", "b"]}],
        "/": [{"inputs": "a text that is long", "truncate": False}],
        "/embed_all": [{"inputs": ["a", "b"]}],
        "/embed_sparse": [{"inputs": "a"}],
        "/similarity": [{"inputs": {"source_sentence": "a", "sentences": ["b", "c"]}}],
        "/rerank": [{"query": "q", "texts": ["a", "b"], "raw_scores": True, "return_text": True}],
        "/predict": [
            {"inputs": "a", "raw_scores": False},
            {"inputs": [["a", "b"], ["c", "d"]]},
            {"inputs": [["a"], ["b"]]},
        ],
        "/tokenize": [{"inputs": ["Hello, wörld!", ""], "add_special_tokens": False}],
        "/decode": [{"ids": [[2, 101, 3], [5]], "skip_special_tokens": False}],
        "/v1/embeddings": [
            {"input": ["a"], "model": "m", "encoding_format": "base64", "dimensions": 2},
            {"input": [1, 2], "output_dtype": "int8", "user": "u"},
        ],
        "/v1/rerank": [
            {"query": "q", "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": True},
            {"model": "org/embedder", "query": "q", "documents": ["a"], "mode": "hybrid",
             "weights": [0.4, 0.2, 0.4]},
            {"model": "org/embedder", "query": "q", "documents": ["a"], "mode": "colbert"},
        ],
        "/api/embed": [{"model": "m", "input": ["a", "b"], "truncate": True, "dimensions": 2}],
        "/api/embeddings": [{"model": "m", "prompt": "a"}],
        "/api/show": [{"model": "org/embedder:latest"}],
        "/api/pull": [{"name": "org/embedder", "stream": "no"}],
        "/vertex": [
            {"instances": [{"inputs": "a"}, {"inputs": ["b", "c"], "truncate": 0}]},
            {"instances": [{"query": "q", "texts": ["a"]}, {"query": "q", "documents": ["a"]}]},
        ],
    }
    seeds = {}
    for path, examples in bodies.items():
        for i, example in enumerate(examples):
            name = f"{path.strip('/').replace('/', '-').replace(' ', '-') or 'root'}-{i}"
            seeds[name] = path + "\n" + json.dumps(example, ensure_ascii=False)
    for path in ("/health", "/info", "/metrics", "/v1/models", "/v1/models/", "/api/tags"):
        seeds["get-" + path[1:].replace("/", "-")] = path + "\n"
    seeds["repairs"] = '/embed\n\ufeff{"texts":["a"],"x":"\\ud83d","n":123456789012345678901,"texts":["b"]}'
    seeds["escapes"] = '/embed\n{"texts":["\\ud83d\\ude00\\n\\u0000","\\u00e9"],"dimensions":2.0}'
    return seeds
