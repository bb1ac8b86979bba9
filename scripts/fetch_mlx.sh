#!/usr/bin/env bash
# Fetches MLX into build/mlx-wheel, for cmake -DEMBEDDING_MLX=ON, or into the folder that is given, which
# cmake is told as -DEMBEDDING_MLX_FOLDER=FOLDER: headers and library out of a wheel of PyPI, the one for
# this machine (Metal on a Mac, else a plain CPU) or the one named. Those for CUDA need NVIDIA's driver, CUDA,
# cuDNN and NCCL where they are to compute, not where they are built.
#   scripts/fetch_mlx.sh [cpu|metal|cuda-12|cuda-13] [FOLDER, from the repository's root]
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.32.4
hashes=(
  cpu=0e0a24fa2ce8b6b94d2e6a90604e8813aa8e29fcb918bb2aa01cfb6d133d8cee # x86-64
  cpu=1289e85e64af1fd16380bf331438bfe4afe875d27afc3e0bcf35f427c488fadd # arm64
  metal=8019b2db622599267d66cc168b2f0dbf5af929790a6c3b3913e00eabc42a7947
  cuda-12=f385c7af7c1f63a9d6ce3e442e1c9ba881c881bcb45c6534ff8155b359da47e5 # x86-64
  cuda-12=cea869b007c809013c369819d485e3b534f3ecc261199b4c655ef92a21f73f28 # arm64
  cuda-13=94cb48fba73e5ee39467e51c35c51c691123359ca17bafd1a24cf92ad6732bee # x86-64
  cuda-13=cf8a67b49cebff85cd98b1d118c09f6c8ee966b899a914c50cc74d614b25616e # arm64
)

variant=${1:-}
if [ -z "$variant" ]; then
  if [ "$(uname -s)" = Darwin ]; then variant=metal; else variant=cpu; fi
fi
requirement="mlx-$variant==$version"
for hash in "${hashes[@]}"; do
  [ "${hash%%=*}" != "$variant" ] || requirement+=" --hash=sha256:${hash#*=}"
done
case "$requirement" in
  *--hash*) ;;
  *)
    printf 'fetch_mlx.sh: there is no MLX for %s; cpu, metal, cuda-12 and cuda-13 there are\n' "$variant" >&2
    exit 2
    ;;
esac

folder=${2:-build/mlx-wheel}
platform=()
# To link with on another machine; a Mac that is too old for it is told so by pip.
[ "$variant" != metal ] || [ "$(uname -s)" = Darwin ] || platform=(--platform macosx_14_0_arm64 --only-binary :all:)

[ "$(cat "$folder/requirement" 2>/dev/null)" = "$requirement" ] && exit
mkdir -p "$folder" && rm -rf "$folder"/{files,venv,requirement,requirements.txt}
printf '%s\n' "$requirement" >"$folder/requirements.txt"
[ -x "$folder/venv/bin/pip" ] || python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-compile \
  --require-hashes ${platform[@]+"${platform[@]}"} --target "$folder/files" -r "$folder/requirements.txt"
rm -rf "$folder/venv"
printf '%s' "$requirement" >"$folder/requirement"
