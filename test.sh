#!/usr/bin/env bash
# Installs, builds and runs every test; the last line is the total. What each step is and how to run
# one alone: CONTRIBUTING.md. `./test.sh release` runs only the steps named: fast style release
# asan-ubsan tsan fuzz e2e clients web kernels mlx tidy, and debug, arm64, arm64-all, macos, mlx-cuda and cuda,
# which are not part of the whole.
set -uo pipefail
cd "$(dirname "$0")"

steps=("$@")
[ ${#steps[@]} = 0 ] && steps=(style release e2e clients web kernels asan-ubsan tsan fuzz mlx tidy)
leaks=1
if [ "$(uname -s)" = Darwin ]; then
  # Apple's clang has neither libFuzzer nor a detector of leaks; formatters and clang-tidy of other versions than
  # Debian's find other things; what brings the server by npm is Linux's.
  [ $# != 0 ] || steps=(release e2e clients mlx asan-ubsan tsan)
  leaks=0
fi
passed=0
failed=0
jobs=$(getconf _NPROCESSORS_ONLN)
# What was compiled in one clone is not compiled again in another.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
export CTEST_OUTPUT_ON_FAILURE=1 CTEST_PARALLEL_LEVEL=$jobs
export ASAN_OPTIONS=detect_leaks=$leaks:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1

say() { printf '\n== %s\n' "$*"; }

# count STATUS NAME: one more test, passed if the exit status is 0.
count() {
  if [ "$1" = 0 ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$2"
  fi
}

# check NAME COMMAND...: one more test, passed or failed by the command's exit status.
check() {
  local name=$1
  shift
  "$@"
  count $? "$name"
}

# build PRESET [options of cmake --build]; $configure has options of the configuration.
build() {
  local preset=$1
  shift
  # shellcheck disable=SC2086
  cmake --preset "$preset" ${configure:-} >/dev/null &&
    cmake --build --preset "$preset" -j "$jobs" "$@" | grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking|Re-)'
  return "${PIPESTATUS[0]}"
}

# run_ctest PRESET [ctest options]: adds CTest's counts to the totals.
run_ctest() {
  local preset=$1 log total bad
  shift
  log=$(mktemp)
  ctest --test-dir "build/$preset" -j "$jobs" "$@" 2>&1 | tee "$log" | grep -vE '^ *[0-9]+/[0-9]+ Test|^ +Start '
  total=$(sed -nE 's/.* tests failed out of ([0-9]+).*/\1/p' "$log")
  bad=$(sed -nE 's/.* ([0-9]+) tests failed out of.*/\1/p' "$log")
  rm -f "$log"
  if [ -z "$total" ]; then
    failed=$((failed + 1))
    printf 'FAILED: no tests ran in build/%s\n' "$preset"
  else
    passed=$((passed + total - bad))
    failed=$((failed + bad))
  fi
}

# in_shards COMMAND...: a program of tests that computes on one thread, once a processor, each with a part of them.
in_shards() {
  local shard pids=() status=0
  for ((shard = 0; shard < jobs; ++shard)); do
    GTEST_TOTAL_SHARDS=$jobs GTEST_SHARD_INDEX=$shard "$@" --gtest_brief=1 &
    pids+=($!)
  done
  for shard in "${pids[@]}"; do wait "$shard" || status=1; done
  return $status
}

# run_gtest NAME COMMAND...: adds the counts of a program of tests to the totals.
run_gtest() {
  local name=$1 log n status
  shift
  log=$(mktemp)
  "$@" --gtest_brief=1 >"$log" 2>&1
  status=$?
  n=$(sed -nE 's/^\[  PASSED  \] ([0-9]+) tests?\.$/\1/p' "$log")
  passed=$((passed + ${n:-0}))
  printf '%s: %d passed\n' "$name" "${n:-0}"
  if [ "$status" != 0 ] || [ "${n:-0}" = 0 ]; then
    tail -n 60 "$log"
    n=$(sed -nE 's/^ *([0-9]+) FAILED TESTS?$/\1/p' "$log")
    failed=$((failed + ${n:-1}))
    printf 'FAILED: %s\n' "$name"
  fi
  rm -f "$log"
}

# run_pytest VENV TESTS BINARY [pytest options]: adds pytest's counts to the totals.
run_pytest() {
  local venv=$1 tests=$2 binary=$3 log count
  shift 3
  log=$(mktemp)
  EMBEDDING_SERVICE_BIN=$binary "$venv/bin/python" -m pytest -q -p no:cacheprovider "$tests" "$@" 2>&1 | tee "$log"
  for count in passed failed error; do
    local n
    n=$(tail -n 1 "$log" | grep -oE "[0-9]+ ${count}" | grep -oE '^[0-9]+')
    case "$count" in
      passed) passed=$((passed + ${n:-0})) ;;
      *) failed=$((failed + ${n:-0})) ;;
    esac
  done
  grep -qE '[0-9]+ passed' <(tail -n 1 "$log") || {
    failed=$((failed + 1))
    printf 'FAILED: pytest of %s with %s\n' "$tests" "$binary"
  }
  rm -f "$log"
}

# make_venv VENV TESTS: a virtual environment with what the tests need.
make_venv() {
  [ -x "$1/bin/python" ] || python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check --no-compile -r "$2/requirements.txt"
}

step_style() {
  check "formatting (run: clang-format -i)" bash -c 'git ls-files "*.cc" "*.h" | xargs clang-format --dry-run -Werror'
  check "layers" python3 scripts/check_layers.py
}

# release [options of ctest]: builds and runs the unit tests.
release() {
  configure="-DEMBEDDING_WERROR=ON -DEMBEDDING_TESTS=ON -DEMBEDDING_BENCH=ON" check "release build" build release
  run_ctest release "$@"
}

step_release() { release; }

# What a change is tried with first: part of the others.
step_fast() {
  step_style
  release -LE slow
}

step_e2e() {
  check "virtual environment" make_venv build/venv tests/e2e
  run_pytest build/venv tests/e2e build/release/embedding-service
}

# The official clients of other services, and requests made up from openapi.json.
step_clients() {
  check "virtual environment" make_venv build/venv-clients tests/clients
  check "npm packages" npm install --prefix tests/clients --no-package-lock --no-audit --no-fund --silent
  run_pytest build/venv-clients tests/clients build/release/embedding-service
}

# run_vitest FOLDER: `npm test` there; adds vitest's counts to the totals.
run_vitest() {
  local folder=$1 log count n status
  log=$(mktemp)
  check "npm packages of $folder" npm install --prefix "$folder" --no-package-lock --no-audit --no-fund --silent
  NO_COLOR=1 EMBEDDING_SERVICE_BIN=$PWD/build/release/embedding-service npm test --prefix "$folder" >"$log" 2>&1
  status=$?
  grep -E '^ *(Test Files|Tests|Duration) |✗|×|FAIL|Error' "$log" || true
  for count in passed failed; do
    n=$(grep -E '^ *Tests ' "$log" | grep -oE "[0-9]+ $count" | awk '{sum += $1} END {print sum + 0}')
    case "$count" in
      passed) passed=$((passed + n)) ;;
      *) failed=$((failed + n)) ;;
    esac
  done
  [ "$status" = 0 ] || { tail -n 60 "$log" && count 1 "npm test of $folder"; }
  rm -f "$log"
}

# What its users meet: the package of npm, the console and the application in Chromium, the server by
# npm, and every code block of the guide.
step_web() {
  check "the demo model" scripts/fetch_model.sh multilingual-e5-small
  local folder
  for folder in clients/typescript console examples/nextjs; do run_vitest "$folder"; done
  check "virtual environment" make_venv build/venv tests/guide
  check "npm packages" npm install --prefix tests/guide --no-package-lock --no-audit --no-fund --silent
  run_pytest build/venv tests/npm build/release/embedding-service
  run_pytest build/venv tests/guide build/release/embedding-service
}

# clang here and under the sanitizers, whose builds take it half of g++'s time; g++ for the release:
# both have to compile without a warning. Not part of the whole: all that it runs, the sanitizers run.
step_debug() {
  CXX=clang++ check "debug build" build debug
  run_ctest debug
}

step_asan-ubsan() {
  CXX=clang++ check "asan-ubsan build" build asan-ubsan
  run_ctest asan-ubsan
  check "virtual environment" make_venv build/venv tests/e2e
  run_pytest build/venv tests/e2e build/asan-ubsan/embedding-service -k "bad_models or wire or errors or lifecycle or heads or rerank or dialects"
}

# All that has threads.
step_tsan() {
  CXX=clang++ check "tsan build" build tsan --target base_tests backends_tests cache_tests redis_tests engine_tests api_tests http_tests app_tests
  local folder
  for folder in base backends cache redis engine api http app; do
    # What computes much by the same threads as other tests is left out.
    build/tsan/tests/${folder}_tests --gtest_brief=1 \
      --gtest_filter='-*AVectorDoesNotDepend*:Int8Accuracy*:Linear*:PackedAttentionOf*:*FamilyReferences.NumbersOfFewerBits*:*FamilyReferences.NumbersDoNot*'
    count $? "$folder under TSan"
  done
}

# run_fuzzer TARGET: its corpus, then 20 s of new inputs. What is found stays below build/fuzz.
run_fuzzer() {
  local target=$1 folder=build/fuzz/run/$1 log=build/fuzz/run/$1/log fuzzer input
  fuzzer=build/fuzz/tests/fuzz/${target}_fuzz
  rm -rf "$folder" && mkdir -p "$folder" && cp -r "tests/fuzz/corpus/$target" "$folder/corpus" || return 1
  local limits=(-timeout=10 -rss_limit_mb=2048 -dict="tests/fuzz/$target.dict")
  if "$fuzzer" "${limits[@]}" -max_total_time=20 -print_final_stats=1 -artifact_prefix="$folder/" "$folder/corpus" >"$log" 2>&1; then
    printf '%s: %s\n' "$target" "$(grep -E 'DONE' "$log" | tail -n 1)"
    return 0
  fi
  tail -n 60 "$log"
  # The input that was found, or, where the target failed on its corpus already, one of that.
  for input in "$folder"/*-*; do
    [ -f "$input" ] && printf 'to reproduce: %s %s\n' "$fuzzer" "$input"
  done
  printf 'the whole log, with the seed: %s\n' "$log"
  return 1
}

# Every target of tests/fuzz, as many at once as there are processors.
step_fuzz() {
  check "fuzz build" build fuzz
  local targets=() target i
  for target in tests/fuzz/*_fuzz.cc; do
    target=${target##*/}
    targets+=("${target%_fuzz.cc}")
  done
  for ((i = 0; i < ${#targets[@]}; i += jobs)); do
    local running=() pids=()
    for target in "${targets[@]:i:jobs}"; do
      run_fuzzer "$target" &
      pids+=($!)
      running+=("$target")
    done
    local k
    for k in "${!pids[@]}"; do check "fuzzing ${running[k]}" wait "${pids[k]}"; done
  done
}

# on_arm CPU FOLDER [options of GoogleTest]: its tests by qemu, on a processor that it knows.
on_arm() {
  local cpu=$1 folder=$2
  shift 2
  run_gtest "$folder on $cpu" qemu-aarch64-static -cpu "$cpu" -L build/arm64-sysroot \
    "build/arm64/tests/${folder}_tests" "$@"
}

# Arm's code, run by qemu: what computes, and what it reads. Not part of the whole: it takes long.
step_arm64() {
  check "arm64's compiler and libraries" scripts/install_dependencies.sh arm64
  local folder folders=(base text weights model backends engine) targets=()
  for folder in "${folders[@]}"; do targets+=("${folder}_tests"); done
  check "arm64 build" build arm64 --target "${targets[@]}"
  for folder in "${folders[@]}"; do on_arm max "$folder" --gtest_filter='-*AVectorDoesNotDepend*:Int8Accuracy*'; done
  # Which kernels a processor gets, and that they multiply.
  local cpu extensions
  while IFS='=' read -r cpu extensions; do
    EXPECTED_ARM_EXTENSIONS=$extensions on_arm "$cpu" backends --gtest_filter='ArmExtensions*:LinearInt8*:LinearBf16*:InputMatrix*'
  done <<<"max=dotprod i8mm bf16
cortex-a76=dotprod
cortex-a72="
}

# The rest of it, and the server in the package of npm.
step_arm64-all() {
  step_arm64
  check "arm64 build of all" build arm64
  local folder
  for folder in cache redis hub http api app allocation; do on_arm max "$folder"; done
  check "server to compare with" build release --target embedding-service
  check "virtual environment" make_venv build/venv tests/e2e
  run_pytest build/venv tests/arm64 build/release/embedding-service
}

# Another backend against the same references, and against the CPU's: MLX on the CPU, whose products are
# slow here.
step_mlx() {
  check "MLX" scripts/fetch_mlx.sh # on a Mac Metal's, whose CPU serves as well
  check "mlx build" build mlx --target backends_mlx_tests engine_mlx_tests embedding-service embedding_documents
  local program
  for program in backends engine; do
    in_shards build/mlx/tests/${program}_mlx_tests --gtest_filter='-*DoesNotDepend*:*DoNotDepend*:EmbedderTypes*:*EmbedderTypes*'
    count $? "$program with MLX"
  done
  check "virtual environment" make_venv build/venv tests/e2e
  run_pytest build/venv tests/mlx/test_installed.py build/mlx/embedding-service
}

# MLX for NVIDIA's GPUs, where there is none: that it is built, and what it says. Not part of the whole: the
# wheel has 90 MB.
step_mlx-cuda() {
  check "MLX for CUDA" scripts/fetch_mlx.sh cuda-12 build/mlx-cuda-12
  check "mlx-cuda build" build mlx-cuda --target embedding-service
  check "virtual environment" make_venv build/venv tests/e2e
  run_pytest build/venv tests/mlx/test_cuda_variant.py build/mlx-cuda/embedding-service
}

# The kernels for NVIDIA's GPUs, compiled by NVIDIA's compiler for each kind of GPU: that needs none.
step_kernels() {
  [ "$(uname -m)" = x86_64 ] || return 0 # there is no wheel for others
  check "NVIDIA's compiler" scripts/fetch_nvrtc.sh
  check "kernels' build" build release --target backends_cuda_tests
  LD_LIBRARY_PATH=$(echo "$PWD"/build/nvrtc-wheel/files/nvidia/*/lib) in_shards build/release/tests/backends_cuda_tests \
    --gtest_filter='-*/CudaModels*:CudaSession*:CudaBackend*'
  count $? "kernels of CUDA"
}

# The device cuda, on a machine that has a GPU of NVIDIA's and CUDA's libraries.
step_cuda() {
  check "cuda build" build release --target backends_cuda_tests engine_cuda_tests
  local program
  for program in backends engine; do
    build/release/tests/${program}_cuda_tests --gtest_brief=1
    count $? "$program with CUDA"
  done
}

# For a Mac, by zig: all compiles, and what is linked finds every symbol where it looks for it. Nothing is run.
step_macos() {
  check "macOS's compiler and libraries" scripts/make_macos_sysroot.sh
  check "MLX for macOS" scripts/fetch_mlx.sh metal build/macos-mlx
  check "virtual environment" make_venv build/venv-macos scripts/macos
  CCACHE_COMPILERCHECK=content check "macos build" build macos --target embedding-service
  file build/macos/embedding-service
  check "a program for Apple silicon" grep -q 'Mach-O 64-bit arm64 executable' <(file build/macos/embedding-service)
  local sysroot=build/macos-sysroot
  check "undefined symbols" build/venv-macos/bin/python scripts/check_macho.py build/macos/embedding-service \
    $sysroot/zig/ziglang/lib/libc/darwin/libSystem.tbd $sysroot/lib/*.tbd \
    $sysroot/Frameworks/Accelerate.framework/Accelerate.tbd build/macos-mlx/files/mlx/lib/libmlx.dylib
}

step_tidy() {
  check "clang-tidy" bash -c 'git ls-files "src/*.cc" ":!src/backends/mlx*" | xargs scripts/run_tidy.py build/asan-ubsan'
  check "clang-tidy of MLX's backend" bash -c 'git ls-files "src/backends/mlx*.cc" | xargs scripts/run_tidy.py build/mlx'
}

say "dependencies"
scripts/install_dependencies.sh dev || exit 1
scripts/fetch_model.sh all-MiniLM-L6-v2 || exit 1
scripts/fetch_tokenizers.sh || exit 1
python3 scripts/unpack_test_models.py || exit 1
for step in "${steps[@]}"; do
  say "$step"
  started=$SECONDS
  "step_$step"
  printf '%s took %d s\n' "$step" $((SECONDS - started))
done

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
