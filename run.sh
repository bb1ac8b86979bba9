#!/usr/bin/env bash
# Builds the server if needed and starts it: ./run.sh [options of `embedding-service serve`]
# Without --model or --config it serves a small demo model; `./run.sh --help` shows the options.
set -euo pipefail
cd "$(dirname "$0")"

binary=build/release/embedding-service
scripts/install_dependencies.sh
if [ ! -f build/release/build.ninja ]; then
  options=()
  # A Mac's GPU: the device mps.
  if [ "$(uname -sm)" = "Darwin arm64" ]; then
    if scripts/fetch_mlx.sh; then options+=(-DEMBEDDING_MLX=ON); else
      echo "run.sh: MLX, which computes on the GPU, cannot be had here (it needs macOS 14): building for the CPU alone" >&2
    fi
  fi
  cmake --preset release ${options[@]+"${options[@]}"} >&2
fi
cmake --build --preset release --target embedding-service >&2

for argument in "$@"; do
  case "$argument" in
    --model | --model=* | --config | --config=* | -h | --help) exec "$binary" serve "$@" ;;
  esac
done
if [ -n "${EMBEDDING_SERVICE_MODEL:-}${EMBEDDING_SERVICE_CONFIG:-}" ]; then exec "$binary" serve "$@"; fi

scripts/fetch_model.sh multilingual-e5-small
echo "Serving the demo model multilingual-e5-small (384 dimensions, a hundred languages); for another: ./run.sh --model BAAI/bge-m3 or --model DIRECTORY"
exec "$binary" serve --model models/multilingual-e5-small "$@"
