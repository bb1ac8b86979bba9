#!/usr/bin/env bash
# Compares this server with its alternatives: bench/compare/run.sh [options]; --help lists them.
# The alternatives' packages go to bench/.venv (or the directory that BENCH_VENV names), everything
# else that is built or converted to build/compare.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${BENCH_VENV:-bench/.venv}

# Settings of other people's threads and caches must not reach the engines.
for name in $(compgen -e | grep -E '^(OPENBLAS|OMP|MKL|GOMP|KMP|ONEDNN|DNNL|TORCH)_' || true); do
  unset "$name"
done
export HF_HUB_OFFLINE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 TOKENIZERS_PARALLELISM=true

if ! cmp -s bench/compare/requirements.txt "$venv/installed.txt"; then
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/pip" install -r bench/compare/requirements.txt >&2
  cp bench/compare/requirements.txt "$venv/installed.txt"
fi
exec "$venv/bin/python" bench/compare/main.py "$@"
