#!/usr/bin/env bash
# Fetches MLX into build/mlx-wheel, for cmake -DEMBEDDING_MLX=ON: headers and library out of a wheel of
# PyPI, the one for this machine (Metal on a Mac, else a plain CPU) or the one named.
#   scripts/fetch_mlx.sh [cpu|metal|cuda-12|cuda-13]
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.32.4
hashes=(
  cpu=0e0a24fa2ce8b6b94d2e6a90604e8813aa8e29fcb918bb2aa01cfb6d133d8cee # x86-64
  cpu=1289e85e64af1fd16380bf331438bfe4afe875d27afc3e0bcf35f427c488fadd # arm64
  metal=8019b2db622599267d66cc168b2f0dbf5af929790a6c3b3913e00eabc42a7947
  cuda-12=f385c7af7c1f63a9d6ce3e442e1c9ba881c881bcb45c6534ff8155b359da47e5
  cuda-13=94cb48fba73e5ee39467e51c35c51c691123359ca17bafd1a24cf92ad6732bee
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

[ "$(cat build/mlx-wheel/requirement 2>/dev/null)" = "$requirement" ] && exit
rm -rf build/mlx-wheel && mkdir -p build/mlx-wheel
printf '%s\n' "$requirement" >build/mlx-wheel/requirements.txt
[ -x build/mlx-wheel/venv/bin/pip ] || python3 -m venv build/mlx-wheel/venv
build/mlx-wheel/venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-compile \
  --require-hashes --target build/mlx-wheel/files -r build/mlx-wheel/requirements.txt
rm -rf build/mlx-wheel/venv
printf '%s' "$requirement" >build/mlx-wheel/requirement
