#!/usr/bin/env bash
# Unpacks sources of Debian's or Ubuntu's packages into the current folder, of the repositories that are
# configured already; the system's own lists stay as they are.
#   scripts/apt_source.sh PACKAGE=VERSION...     each becomes PACKAGE/..., where CMakeLists.txt is
set -euo pipefail

command -v apt-get >/dev/null && command -v dpkg-source >/dev/null || {
  echo "apt_source.sh: needs apt-get and dpkg-source (package dpkg-dev) of Debian or Ubuntu" >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/parts" "$work/lists/partial"
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ -f "$list" ] && sed -nE 's/^deb(-src)? /deb-src /p' "$list" >"$work/parts/$(basename "$list" .list).list"
done
for list in /etc/apt/sources.list.d/*.sources; do
  [ -f "$list" ] && sed 's/^Types:.*/Types: deb-src/' "$list" >"$work/parts/$(basename "$list")"
done
options=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$work/parts"
  -o "Dir::State::lists=$work/lists" -o "APT::Sandbox::User=root" -o "APT::Get::Only-Source=true")
# A repository of others that has no sources is a warning, not an error.
apt-get "${options[@]}" update -q >&2 || true

for package in "$@"; do
  mkdir "$work/source"
  (cd "$work/source" && apt-get "${options[@]}" source -q "$package" >&2)
  mv "$(find "$work/source" -mindepth 1 -maxdepth 1 -type d)" "${package%%=*}"
  rm -rf "$work/source"
done
