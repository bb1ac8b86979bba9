#!/usr/bin/env bash
# Times two binaries of the server in turn: bench/check_speed.sh OLD NEW [options]; --help lists them.
set -euo pipefail
cd "$(dirname "$0")"

# Settings of threads, libraries and the server must not reach the servers.
for name in $(compgen -e | grep -E '^(OMP|GOMP|KMP|ONEDNN|DNNL|EMBEDDING)_' || true); do
  unset "$name"
done
export HF_HUB_OFFLINE=1 PYTHONDONTWRITEBYTECODE=1
cd "$OLDPWD"
exec python3 "$(dirname "$0")/check_speed.py" "$@"
