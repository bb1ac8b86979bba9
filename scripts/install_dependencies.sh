#!/usr/bin/env bash
# Installs what building needs from the system's packages, and says what. Does nothing if all is
# there. With "dev" it also installs what ./test.sh needs, with "arm64" (on Debian) what
# ./test.sh arm64 does: a cross compiler, an emulator, and Arm's libraries in build/arm64-sysroot.
set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/.."

libraries_debian=(libhwy-dev libboost-dev libsimdjson-dev libspdlog-dev libfmt-dev libcli11-dev
  libtoml11-dev libutf8proc-dev prometheus-cpp-dev libhiredis-dev libssl-dev libcurl4-openssl-dev)
test_libraries_debian=(nlohmann-json3-dev libgtest-dev libgmock-dev)
build_debian=(g++ cmake ninja-build ccache pkg-config "${libraries_debian[@]}" python3 python3-venv curl)
# The last lines: what the end-to-end tests run the server beside, what reads its documents, what the
# sources of scripts/apt_source.sh come by, and the browser of the pages' tests. The two BLAS are for the
# products that a Mac computes by its own (EMBEDDING_BLAS).
dev_debian=("${test_libraries_debian[@]}" libopenblas-dev libblis-dev clang clang-format clang-tidy libbenchmark-dev
  nginx-light redis-server prometheus systemd iproute2 openssl
  man-db zsh fish
  dpkg-dev file
  chromium fonts-noto-core)
# Homebrew's formulas, those of tools with the command that they are for, which may be there from
# elsewhere: formula=command. The names of the others are those that `brew list` prints. libcurl is macOS's own,
# and so is SHA-256; OpenSSL is for the server's TLS, which macOS has nothing for that programs may use.
build_brew=(cmake=cmake ninja=ninja ccache=ccache pkgconf=pkg-config python@3=python3 highway boost
  simdjson spdlog fmt cli11 toml11 utf8proc prometheus-cpp hiredis openssl@3)
dev_brew=(nlohmann-json clang-format=clang-format node=npm nginx=nginx prometheus=promtool
  redis=redis-server fish=fish googletest google-benchmark)

say() { printf '%s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Arm's libraries, unpacked and not installed: they would displace this machine's own.
make_arm64_sysroot() {
  local sysroot=build/arm64-sysroot sources=/etc/apt/sources.list.d/debian.sources packages
  packages=$(IFS=, && printf '%s' "${libraries_debian[*]},${test_libraries_debian[*]},libc6-dev,libstdc++-12-dev")
  [ "$(cat "$sysroot/packages" 2>/dev/null)" = "$packages" ] && return
  [ -f "$sources" ] || sources=/etc/apt/sources.list
  say "Unpacking Arm's libraries in $sysroot"
  rm -rf "$sysroot" && mkdir -p build
  # shellcheck source=/dev/null
  as_root mmdebstrap --variant=extract --architectures=arm64 --include="$packages" \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr "$(. /etc/os-release && echo "$VERSION_CODENAME")" \
    "$sysroot" <"$sources" >&2
  printf '%s' "$packages" | as_root tee "$sysroot/packages" >/dev/null
}

install_debian() {
  local wanted=("${build_debian[@]}") missing=() package
  if [ "${1:-}" = arm64 ]; then
    wanted=(mmdebstrap g++-aarch64-linux-gnu qemu-user-static)
  elif [ "${1:-}" = dev ]; then
    wanted+=("${dev_debian[@]}")
    command -v npm >/dev/null || wanted+=(nodejs npm) # or any other's Node.js
    apt-cache show clang >/dev/null 2>&1 || as_root apt-get update -q >&2 # a bare container's lists
    # The sanitizers and libFuzzer, where they are a package apart from clang.
    ! apt-cache show libclang-rt-dev >/dev/null 2>&1 || wanted+=(libclang-rt-dev)
  fi
  for package in "${wanted[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
      missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "Installing with apt-get: ${missing[*]}"
  as_root apt-get update -q >&2
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -q --no-install-recommends \
    "${missing[@]}" >&2
}

# Whether a formula is there. `brew list` prints what was asked for by another name under its own:
# python@3 as python@3.14.
has_brew() {
  case "$1" in
    *=*) command -v "${1#*=}" >/dev/null ;;
    *) case "$installed" in *" $1 "*) ;; *) return 1 ;; esac ;;
  esac
}

install_brew() {
  local wanted=("${build_brew[@]}") missing=() formula installed
  [ "${1:-}" = dev ] && wanted+=("${dev_brew[@]}")
  installed=" $(brew list --formula -1 | tr '\n' ' ') "
  for formula in "${wanted[@]}"; do
    has_brew "$formula" || missing+=("${formula%%=*}")
  done
  [ ${#missing[@]} = 0 ] && return
  say "Installing with Homebrew: ${missing[*]}"
  brew install "${missing[@]}" >&2
}

if command -v apt-get >/dev/null; then
  install_debian "${1:-}"
  [ "${1:-}" != arm64 ] || make_arm64_sysroot
elif command -v brew >/dev/null; then
  install_brew "${1:-}"
elif [ "$(uname -s)" = Darwin ]; then
  say "Homebrew is needed, and no command is called brew. https://brew.sh tells how to install it; if it is installed:"
  # shellcheck disable=SC2016
  say '  eval "$(/opt/homebrew/bin/brew shellenv)"'
  exit 1
else
  say "Neither apt-get nor brew is here. Install by hand: ${build_debian[*]}"
  exit 1
fi
