"""What of the guide cannot be done here as it is written: each by its text, with the reason."""

# Blocks that are only looked at, by their first line.
ELSEWHERE = {
    "from sentence_transformers import SentenceTransformer": "the code before the move; PyTorch is 2 GB",
    "// before": "the code before the move; @huggingface/transformers is 720 MB",
}

# Commands, or parts of them: what is done in their place, and why.
INSTEAD = [
    ("git clone <this repository> && cd embedding-service", "ln -s {root} embedding-service",
     "this repository is here, and built"),
    ("path/to/directory", "{minilm}", "a directory with a model"),
    ("embedding-service selftest", "embedding-service selftest --model all-MiniLM-L6-v2",
     "the hub of the tests has a model of bge-m3's kind under its name, not its 2.3 GB: its published scores are others"),
    ("embedding-service bench", "embedding-service bench --seconds 0", "it would measure for a minute"),
]  # fmt: skip
