#!/usr/bin/env bash
# Builds the archives (.a) that Debian's and Ubuntu's -dev packages leave out, for a server that needs no
# libraries but the C library's: build_libraries.sh FOLDER. They are made of the distribution's own sources,
# of the version whose headers are installed, and with curl only what the server asks of it: HTTP and TLS.
# Does nothing for what is there already.
set -euo pipefail

folder=$(mkdir -p "${1:?usage: build_libraries.sh FOLDER}" && cd "$1" && pwd)
# Source package=-dev package=options of CMake
libraries=(
  "fmtlib=libfmt-dev=-DFMT_TEST=OFF -DFMT_DOC=OFF"
  "spdlog=libspdlog-dev=-DSPDLOG_FMT_EXTERNAL=ON -DSPDLOG_BUILD_EXAMPLE=OFF -DSPDLOG_BUILD_TESTS=OFF"
  "simdjson=libsimdjson-dev=-DSIMDJSON_DEVELOPER_MODE=OFF"
  "highway=libhwy-dev=-DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF -DBUILD_TESTING=OFF"
  "prometheus-cpp=prometheus-cpp-dev=-DENABLE_PUSH=OFF -DENABLE_PULL=OFF -DENABLE_TESTING=OFF -DENABLE_COMPRESSION=OFF"
  "curl=libcurl4-openssl-dev=-DHTTP_ONLY=ON -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DCURL_USE_OPENSSL=ON -DCURL_USE_LIBSSH2=OFF -DUSE_LIBIDN2=OFF -DCURL_ZLIB=OFF -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_CA_FALLBACK=ON"
)

command -v apt-get >/dev/null && command -v dpkg-source >/dev/null || {
  echo "build_libraries.sh: needs apt-get and dpkg-source (package dpkg-dev) of Debian or Ubuntu" >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The sources of the repositories that are configured already; the system's own lists stay as they are.
apt_source() {
  local list
  if [ ! -d "$work/apt" ]; then
    mkdir -p "$work/apt/parts" "$work/apt/lists/partial"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
      [ -f "$list" ] && sed -nE 's/^deb(-src)? /deb-src /p' "$list" >"$work/apt/parts/$(basename "$list" .list).list"
    done
    for list in /etc/apt/sources.list.d/*.sources; do
      [ -f "$list" ] && sed 's/^Types:.*/Types: deb-src/' "$list" >"$work/apt/parts/$(basename "$list")"
    done
    # A repository of others that has no sources is a warning, not an error.
    apt-get "${options[@]}" update -q >&2 || true
  fi
  apt-get "${options[@]}" source -q "$1" >&2
}
options=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$work/apt/parts"
  -o "Dir::State::lists=$work/apt/lists" -o "APT::Sandbox::User=root" -o "APT::Get::Only-Source=true")

for line in "${libraries[@]}"; do
  IFS='=' read -r source package cmake <<<"$line"
  version=$(dpkg-query -W -f='${source:Version}' "$package")
  stamp=$folder/$source.version
  wanted="$version $cmake"
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && continue
  echo "Building $source $version" >&2
  mkdir "$work/$source"
  (
    cd "$work/$source"
    apt_source "$source=$version"
    # shellcheck disable=SC2086
    cmake -G Ninja -S "$(find . -mindepth 1 -maxdepth 1 -type d)" -B build -DCMAKE_BUILD_TYPE=Release \
      -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_INSTALL_LIBDIR=lib \
      "-DCMAKE_INSTALL_PREFIX=$work/$source/prefix" -DCMAKE_CXX_STANDARD=17 \
      "-DCMAKE_CXX_FLAGS=-fstack-protector-strong" "-DCMAKE_C_FLAGS=-fstack-protector-strong" \
      $cmake >log 2>&1 &&
      cmake --build build >>log 2>&1 && cmake --install build >>log 2>&1 || {
      tail -n 40 log >&2
      exit 1
    }
  )
  cp "$work/$source"/prefix/lib/*.a "$folder/"
  echo "$wanted" >"$stamp"
done
