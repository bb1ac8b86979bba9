#!/usr/bin/env bash
# Fetches NVIDIA's compiler for kernels into build/nvrtc-wheel, out of PyPI's wheel for x86-64 Linux: it
# needs no GPU, and tests/backends/cuda compiles the kernels with it.
set -euo pipefail
cd "$(dirname "$0")/.."

requirement="nvidia-cuda-nvrtc==13.5.37 --hash=sha256:86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc"

[ "$(cat build/nvrtc-wheel/requirement 2>/dev/null)" = "$requirement" ] && exit
rm -rf build/nvrtc-wheel && mkdir -p build/nvrtc-wheel
printf '%s\n' "$requirement" >build/nvrtc-wheel/requirements.txt
python3 -m venv build/nvrtc-wheel/venv
build/nvrtc-wheel/venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-compile \
  --require-hashes --target build/nvrtc-wheel/files -r build/nvrtc-wheel/requirements.txt
rm -rf build/nvrtc-wheel/venv
printf '%s' "$requirement" >build/nvrtc-wheel/requirement
