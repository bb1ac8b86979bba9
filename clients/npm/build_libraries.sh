#!/usr/bin/env bash
# Builds the archives (.a) that Debian's and Ubuntu's -dev packages and Homebrew's formulas leave out, for a
# server that needs no libraries but the system's: build_libraries.sh FOLDER [arm64]. They are made of their own
# sources, of the version whose headers are installed, and with curl, which a Mac has, only what the server asks of
# it: HTTP and TLS. With "arm64" for Arm's 64-bit Linux, by cmake/arm64.cmake and for the headers in its sysroot.
# Does nothing for what is there already.
set -euo pipefail

folder=$(mkdir -p "${1:?usage: build_libraries.sh FOLDER [arm64]}" && cd "$1" && pwd)
target=${2:-}
cd "$(dirname "$0")/../.."
# Source package=-dev package=options of CMake
libraries=(
  "fmtlib=libfmt-dev=-DFMT_TEST=OFF -DFMT_DOC=OFF"
  "spdlog=libspdlog-dev=-DSPDLOG_FMT_EXTERNAL=ON -DSPDLOG_BUILD_EXAMPLE=OFF -DSPDLOG_BUILD_TESTS=OFF"
  "simdjson=libsimdjson-dev=-DSIMDJSON_DEVELOPER_MODE=OFF"
  "highway=libhwy-dev=-DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF -DBUILD_TESTING=OFF"
  "prometheus-cpp=prometheus-cpp-dev=-DENABLE_PUSH=OFF -DENABLE_PULL=OFF -DENABLE_TESTING=OFF -DENABLE_COMPRESSION=OFF"
  "curl=libcurl4-openssl-dev=-DHTTP_ONLY=ON -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DCURL_USE_OPENSSL=ON -DCURL_USE_LIBSSH2=OFF -DUSE_LIBIDN2=OFF -DCURL_ZLIB=OFF -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_CA_FALLBACK=ON"
)
system=()
if [ "$target" = arm64 ]; then
  system=("-DCMAKE_TOOLCHAIN_FILE=$PWD/cmake/arm64.cmake")
elif [ "$(uname -s)" = Darwin ]; then
  system=("-DCMAKE_OSX_DEPLOYMENT_TARGET=14.0") # MLX's
elif ! command -v dpkg-query >/dev/null; then
  echo "build_libraries.sh: needs Debian or Ubuntu, or a Mac with Homebrew" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# unpack PACKAGE=VERSION...: each source into a folder of its name.
unpack() {
  local wanted name formula version
  if [ "$(uname -s)" != Darwin ]; then
    local apt_source=$PWD/scripts/apt_source.sh
    (cd "$work" && "$apt_source" "$@")
    return
  fi
  for wanted in "$@"; do # of Homebrew the formula has the name of the source, or a shorter one
    name=${wanted%%=*} formula=${wanted%%=*} version=${wanted#*=}
    formula=${formula%lib}
    brew unpack --destdir "$work/$name.d" "$formula" >&2
    # The formula may be newer than what is installed, whose headers the server is compiled with.
    [ -d "$work/$name.d/$formula-$version" ] || {
      echo "build_libraries.sh: $formula $version is installed, and Homebrew has another: brew upgrade $formula" >&2
      exit 1
    }
    mv "$work/$name.d/$formula-$version" "$work/$name"
  done
}

# version_of SOURCE PACKAGE: of the source that the headers come from. What is in the sysroot is unpacked, not
# installed: there the last entry of the changelog tells, "fmtlib (9.1.0+ds1-2) unstable; urgency=medium".
version_of() {
  if [ "$target" = arm64 ]; then
    gzip -dc "build/arm64-sysroot/usr/share/doc/$2/changelog.Debian.gz" | sed -nE '1s/^[^(]*\(([^)]*)\).*/\1/p'
  elif [ "$(uname -s)" = Darwin ]; then
    brew list --versions "${1%lib}" | cut -d ' ' -f 2
  else
    dpkg-query -W -f='${source:Version}' "$2"
  fi
}

missing=()
for line in "${libraries[@]}"; do
  IFS='=' read -r source package cmake <<<"$line"
  [ "$source" != curl ] || [ "$(uname -s)" != Darwin ] || continue
  version=$(version_of "$source" "$package")
  [ "$(cat "$folder/$source.version" 2>/dev/null)" = "$version $cmake" ] || missing+=("$source=$version=$cmake")
done
[ ${#missing[@]} != 0 ] || exit 0
packages=()
for line in "${missing[@]}"; do
  IFS='=' read -r source version cmake <<<"$line"
  packages+=("$source=$version")
done
unpack "${packages[@]}"

for line in "${missing[@]}"; do
  IFS='=' read -r source version cmake <<<"$line"
  echo "Building $source $version" >&2
  # shellcheck disable=SC2086
  {
    cmake -G Ninja -S "$work/$source" -B "$work/$source.build" -DCMAKE_BUILD_TYPE=Release \
      -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_INSTALL_LIBDIR=lib \
      "-DCMAKE_INSTALL_PREFIX=$work/$source.prefix" -DCMAKE_CXX_STANDARD=17 \
      "-DCMAKE_CXX_FLAGS=-fstack-protector-strong" "-DCMAKE_C_FLAGS=-fstack-protector-strong" \
      ${system[@]+"${system[@]}"} $cmake &&
      cmake --build "$work/$source.build" && cmake --install "$work/$source.build"
  } >"$work/log" 2>&1 || {
    tail -n 40 "$work/log" >&2
    exit 1
  }
  cp "$work/$source.prefix"/lib/*.a "$folder/"
  echo "$version $cmake" >"$folder/$source.version"
done
