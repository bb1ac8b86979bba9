#!/usr/bin/env bash
# Builds the server for this machine's npm package, and both packages into build/npm-packages: all of what
# `npm publish` needs. On Debian or Ubuntu, the older the system, the older the glibc that it asks for; or on a Mac,
# with MLX.
#   clients/npm/build.sh [options of build_packages.mjs]
set -euo pipefail
cd "$(dirname "$0")/../.."

system=()
if [ "$(uname -s)" = Darwin ]; then
  scripts/install_dependencies.sh
  scripts/fetch_mlx.sh metal
  system=(-DEMBEDDING_MLX=ON -DCMAKE_OSX_DEPLOYMENT_TARGET=14.0)
fi
clients/npm/build_libraries.sh build/npm-libraries
# As the other builds: two levels below the root, so that ccache knows what they have compiled.
cmake -G Ninja -S . -B build/npm -DCMAKE_BUILD_TYPE=Release -DEMBEDDING_STATIC=ON \
  "-DEMBEDDING_STATIC_LIBRARIES=$PWD/build/npm-libraries" ${system[@]+"${system[@]}"} >/dev/null
cmake --build build/npm --target embedding-service
[ -d clients/typescript/node_modules ] ||
  npm install --prefix clients/typescript --no-package-lock --no-audit --no-fund --silent
exec node clients/npm/build_packages.mjs "$@"
