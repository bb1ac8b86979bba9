#!/usr/bin/env bash
# Builds the server for this machine's npm package, and both packages into build/npm-packages: all of what
# `npm publish` needs. On Debian or Ubuntu, the older the system, the older the glibc that it asks for; or on a Mac,
# with MLX.
#   clients/npm/build.sh [linux-arm64] [options of build_packages.mjs]
# With "linux-arm64" for that, by a cross compiler (on Debian: scripts/install_dependencies.sh arm64 brings it).
set -euo pipefail
cd "$(dirname "$0")/../.."

# As the other builds: two levels below the root, so that ccache knows what they have compiled.
folder=build/npm
target=()
# As the presets "release" and "arm64", whose objects ccache then has.
system=(-DEMBEDDING_WERROR=ON)
if [ "${1:-}" = linux-arm64 ]; then
  shift
  command -v apt-get >/dev/null || { echo "build.sh: linux-arm64 is cross-compiled on Debian alone" >&2 && exit 1; }
  scripts/install_dependencies.sh arm64
  folder=build/npm-arm64
  target=(arm64)
  system+=("-DCMAKE_TOOLCHAIN_FILE=$PWD/cmake/arm64.cmake")
  export STRIP=aarch64-linux-gnu-strip
  set -- --platform linux-arm64 --binary "$folder/embedding-service" --licences build/arm64-sysroot/usr/share/doc "$@"
elif [ "$(uname -s)" = Darwin ]; then
  scripts/install_dependencies.sh
  scripts/fetch_mlx.sh metal
  system=(-DEMBEDDING_MLX=ON -DCMAKE_OSX_DEPLOYMENT_TARGET=14.0)
fi
clients/npm/build_libraries.sh "$folder-libraries" ${target[@]+"${target[@]}"}
cmake -G Ninja -S . -B "$folder" -DCMAKE_BUILD_TYPE=Release -DEMBEDDING_STATIC=ON \
  "-DEMBEDDING_STATIC_LIBRARIES=$PWD/$folder-libraries" ${system[@]+"${system[@]}"} >/dev/null
cmake --build "$folder" --target embedding-service
[ -d clients/typescript/node_modules ] ||
  npm install --prefix clients/typescript --no-package-lock --no-audit --no-fund --silent
exec node clients/npm/build_packages.mjs "$@"
