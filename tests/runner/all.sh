#!/usr/bin/env bash
# `make test`: everything that CI runs, side by side as far as one part does not need another. parts.sh is the engine.
#
# What waits for nothing begins first, so that the first tests run while other things are still built. Parts whose
# tests watch the time run as they are; builds and the model are nice and take what those leave.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/runner/parts.sh

built=$PWD/target
case ${CARGO_TARGET_DIR:-} in
  '') ;;
  /*) built=$CARGO_TARGET_DIR ;;
  *) built=$PWD/$CARGO_TARGET_DIR ;;
esac
logs=$built/test-run
programs=$logs/programs
# cargo sets it for the tests that it runs.
: "${RUST_TEST_THREADS:=$(sed -n 's/^RUST_TEST_THREADS = "\([0-9]*\)"$/\1/p' .cargo/config.toml)}"
export RUST_TEST_THREADS

# The subjects of behavior that are shown once more with the binary that ships.
smoke=(shipped:: purchase:: process:: credentials:: canary:: immuta::keys::)

# Builds all test programs, and lists them: folder of the package, kind, name, program.
build_tests() {
  cargo test --locked --workspace --exclude seatkeeper-pure --no-run --message-format=json-render-diagnostics >"$logs/artifacts"
  local folder='"manifest_path":"\([^"]*\)\/Cargo.toml"' kind='"target":{"kind":\["\([a-z-]*\)"' name='"name":"\([^"]*\)"'
  # Of a program that is built for other tests to start, the target may have tests too: its profile tells it apart.
  local tests='"profile":{[^}]*"test":true}' program='"executable":"\([^"]*\)"'
  sed -n "s/.*$folder.*$kind.*$name.*$tests.*$program.*/\1\t\2\t\3\t\4/p" "$logs/artifacts" >"$programs"
  echo "$(wc -l <"$programs") test programs"
}

# Runs those of the test programs that a condition of awk accepts, each in the folder of its package as cargo does.
# Every program is run by one part: see the conditions below. A condition that accepts none is a mistake.
run_tests() {
  local condition=$1 folder kind name program ran=0 failed=0
  shift
  while IFS=$'\t' read -r folder kind name program <&3; do
    echo "running $kind $name of $folder"
    (cd "$folder" && exec "$program" "$@") || failed=1
    ran=$((ran + 1))
  done 3< <(awk -F '\t' "{ kind = \$2; name = \$3 } $condition" "$programs")
  [ "$ran" -gt 0 ] || { echo "no test program for: $condition"; return 1; }
  return "$failed"
}

pure='kind == "lib" || kind == "bin" || name == "shape"'
model='kind == "test" && name == "model"'
faults='kind == "test" && name == "faults"'
behavior='kind == "test" && name == "behaviour"'
other="!($pure || $model || $faults || $behavior)"

smoke_test() {
  local subject listed
  listed=$(run_tests "$behavior" --list)
  for subject in "${smoke[@]}"; do
    grep -q "^$subject" <<<"$listed" || { echo "no test of behavior is of the subject $subject"; return 1; }
  done
  SEATKEEPER_BINARY=$built/release/seatkeeper run_tests "$behavior" "${smoke[@]}"
}

results='^(test result|SKIPPED)'
control_plane=()
part format -- cargo fmt --all --check
part -s 'test programs' 'test build' -- build_tests
if [ -z "${SKIP_CONTROL_PLANE:-}" ]; then
  # The first tests need none: what is tested is built first.
  part -n 5 'control plane' -- tests/control-plane/build.sh
  control_plane=('control plane')
fi
part -s "$results" 'unit tests' 'test build' -- run_tests "$pure"
# Behavior is watched by its times: it has the machine for itself, but for what is nice. So have the faults.
part -s "$results|^sequences" behavior 'test build' "${control_plane[@]}" -- run_tests "$behavior"
part -n 15 -s "$results|^simulated years|^covered" 'other tests' 'test build' "${control_plane[@]}" -- run_tests "$other"
# cargo holds the build folder while it checks: not before the tests are built.
part -n 15 clippy 'test build' -- cargo clippy --locked --workspace --exclude seatkeeper-pure --all-targets -- -D warnings
part -n 15 -s "$results" 'doc tests' clippy -- cargo test --locked --workspace --exclude seatkeeper-pure --doc
part -n 15 'release build' 'test build' -- cargo build --release --locked -p seatkeeper
part -s "$results|^faults: [0-9]+ run|^(NOT )?caught|^faults: to be|^faults: played|of .* that there are" \
  faults behavior "${control_plane[@]}" -- run_tests "$faults"
# Where nothing is built yet, the release build takes until the faults end: they leave it time.
part -s "$results" 'release smoke' 'release build' faults "${control_plane[@]}" -- smoke_test
# What the faults leave is enough for the model: it is done before them.
part -n 15 -s "$results|^model" model 'test build' behavior -- run_tests "$model"
part -n 15 cargo-deny 'test build' -- make --no-print-directory deny
run_parts "$logs"
