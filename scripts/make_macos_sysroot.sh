#!/usr/bin/env bash
# Makes build/macos-sysroot, of which cmake/macos.cmake compiles and links for a Mac without one (on Debian):
# zig with its libSystem, the libraries built of Debian's sources, and stubs, which name what a library
# exports, for those that a Mac has: macOS's libcurl and Accelerate, Homebrew's OpenSSL. Does nothing for
# what is there.
set -euo pipefail
cd "$(dirname "$0")/.."

zig='ziglang==0.17.1
  --hash=sha256:ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54
  --hash=sha256:b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e'
# Source package=-dev package=options of CMake
libraries=(
  "fmtlib=libfmt-dev=-DFMT_TEST=OFF -DFMT_DOC=OFF"
  "spdlog=libspdlog-dev=-DSPDLOG_FMT_EXTERNAL=ON -DSPDLOG_BUILD_EXAMPLE=OFF"
  "simdjson=libsimdjson-dev="
  "highway=libhwy-dev=-DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF"
  "utf8proc=libutf8proc-dev="
  "prometheus-cpp=prometheus-cpp-dev=-DENABLE_PUSH=OFF -DENABLE_PULL=OFF -DENABLE_TESTING=OFF -DENABLE_COMPRESSION=OFF"
  "hiredis=libhiredis-dev="
)
# What MLX's wheel is for. zig checks for undefined behaviour unless it is told not to.
target='-target aarch64-macos.14.0 -mcpu=apple_m1 -fno-sanitize=all -F"$root/Frameworks"'
root=$PWD/build/macos-sysroot
multiarch=$(gcc -print-multiarch)

install_zig() {
  printf '%s\n' "$zig" | tr -d '\n' >"$root/requirements.txt"
  python3 -m venv "$root/venv"
  "$root/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes \
    --target "$root/zig" -r "$root/requirements.txt"
  rm -rf "$root/venv"
  local tool
  for tool in cc c++ ar ranlib; do
    # The same text in every clone, by which ccache knows the compiler (test.sh).
    cat >"$root/bin/$tool" <<END
#!/bin/sh
# $(head -n 1 <<<"$zig")
root=\${0%/*}/..
export ZIG_GLOBAL_CACHE_DIR="\$root/cache" ZIG_LOCAL_CACHE_DIR="\$root/cache"
exec "\$root/zig/ziglang/zig" $tool $(case $tool in c*) printf '%s' "$target" ;; esac) "\$@"
END
    chmod +x "$root/bin/$tool"
  done
}

# What there are headers of alone, and those of the stubs.
copy_headers() {
  ln -s /usr/include/boost /usr/include/CLI /usr/include/toml /usr/include/toml.hpp "$root/include/"
  cp -R /usr/include/openssl "$root/include/"
  cp -R "/usr/include/$multiarch/openssl" "/usr/include/$multiarch/curl" "$root/include/"
  mkdir -p "$root/share/cmake"
  cp -R /usr/share/cmake/CLI11 "$root/share/cmake/"
}

# stub FILE INSTALL_NAME LIBRARY: what that library of this machine exports, as one of macOS does. What
# version Debian has, macOS and Homebrew have at least.
stub() {
  local symbols
  symbols=$(nm -D --defined-only "/usr/lib/$multiarch/$3" | awk '$2 ~ /[TDBR]/ { sub(/@.*/, "", $3); print "_" $3 }' |
    sort -u | paste -sd ,)
  cat >"$root/lib/$1" <<END
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '$2'
exports:
  - targets: [ arm64-macos ]
    symbols: [ $symbols ]
...
END
}

make_stubs() {
  stub libcurl.tbd /usr/lib/libcurl.4.dylib libcurl.so.4
  stub libssl.tbd /opt/homebrew/opt/openssl@3/lib/libssl.3.dylib libssl.so.3
  stub libcrypto.tbd /opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib libcrypto.so.3
  # Of Apple's SDK, whose files may not be had elsewhere.
  mkdir -p "$root/Frameworks"
  cp -R scripts/macos/Accelerate.framework "$root/Frameworks/"
}

build_library() {
  local source=$1 cmake=$2
  cd "$source"
  if [ ! -f CMakeLists.txt ]; then # hiredis before 1.0, which newer compilers refuse
    PATH=$root/bin:$PATH make static CC="cc -Wno-incompatible-function-pointer-types" &&
      mkdir -p "$root/include/$source" && cp ./*.h "$root/include/$source/" && cp "lib$source.a" "$root/lib/"
    return
  fi
  # shellcheck disable=SC2086
  cmake -G Ninja -S . -B build "-DCMAKE_TOOLCHAIN_FILE=$toolchain" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_STANDARD=17 -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF -DCMAKE_INSTALL_LIBDIR=lib \
    "-DCMAKE_INSTALL_PREFIX=$root" ${launcher[@]+"${launcher[@]}"} $cmake &&
    cmake --build build && cmake --install build
}

build_libraries() {
  local line source package cmake packages=() toolchain=$PWD/cmake/macos.cmake launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  for line in "${libraries[@]}"; do
    IFS='=' read -r source package cmake <<<"$line"
    packages+=("$source=$(dpkg-query -W -f='${source:Version}' "$package")")
  done
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 CCACHE_COMPILERCHECK=content
  local apt_source=$PWD/scripts/apt_source.sh
  (cd "$work" && "$apt_source" "${packages[@]}" >"$work/log" 2>&1) || { tail -n 40 "$work/log" >&2 && return 1; }
  for line in "${libraries[@]}"; do
    IFS='=' read -r source package cmake <<<"$line"
    echo "Building $source for macOS" >&2
    (cd "$work" && build_library "$source" "$cmake") >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2 && return 1; }
  done
}

if [ "$(cat "$root/zig.wanted" 2>/dev/null)" != "$zig $target" ]; then
  rm -rf "$root" && mkdir -p "$root/bin"
  install_zig
  printf '%s' "$zig $target" >"$root/zig.wanted"
fi
# All the rest again where anything of it is of another version.
wanted=$(
  cat scripts/make_macos_sysroot.sh scripts/macos/Accelerate.framework/{Accelerate.tbd,Headers/*}
  dpkg-query -W -f='${Package} ${Version}\n' lib{fmt,spdlog,simdjson,hwy,utf8proc,hiredis,boost,cli11,toml11,ssl}-dev \
    prometheus-cpp-dev libcurl4-openssl-dev
)
wanted=$(sha256sum <<<"$wanted")
[ "$(cat "$root/wanted" 2>/dev/null)" = "$wanted" ] && exit
rm -rf "$root"/{include,lib,share,Frameworks,wanted} && mkdir -p "$root"/{include,lib}
copy_headers
make_stubs
build_libraries
printf '%s' "$wanted" >"$root/wanted"
