#!/usr/bin/env bash
# `make test`: everything that CI runs, side by side as far as one part does not need another. parts.sh is the engine.
#
# What waits for nothing begins first, so that the first tests run while other things are still built. Parts whose
# tests watch the time run as they are, one after the other; of what is nice, one part runs beside each of them and
# takes what it leaves: two more and a test's own apiserver waits for minutes.
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
# Those that are shown once more on the oldest supported Kubernetes, beside all tests of the chart.
oldest=(admission:: field_owners:: schema:: printing:: check:: who_may_spend:: secret_access:: ceilings:: purchase:: process:: credentials:: immuta::keys::)

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
    (cd "$folder" && exec ${run_via[@]+"${run_via[@]}"} "$program" "$@") || failed=1
    ran=$((ran + 1))
  done 3< <(awk -F '\t' "{ kind = \$2; name = \$3 } $condition" "$programs")
  [ "$ran" -gt 0 ] || { echo "no test program for: $condition"; return 1; }
  return "$failed"
}

pure='kind == "lib" || kind == "bin" || name == "shape"'
model='kind == "test" && name == "model"'
faults='kind == "test" && name == "faults"'
behavior='kind == "test" && name == "behavior"'
years='kind == "test" && name == "years"'
other="!($pure || $model || $faults || $behavior || $years)"

# Tests of behavior wait for what should happen: the rare one that the machine delays beyond its patience is played once more.
behavior_tests() {
  run_via=("$PWD/tests/runner/once-more.sh" 3)
  run_tests "$behavior" "$@"
}

# Runs the tests of behavior that are of these subjects.
subjects() {
  local subject listed
  listed=$(run_tests "$behavior" --list)
  for subject in "$@"; do
    grep -q "^$subject" <<<"$listed" || { echo "no test of behavior is of the subject $subject"; return 1; }
  done
  behavior_tests "$@"
}

smoke_test() {
  SEATKEEPER_BINARY=$built/release/seatkeeper subjects "${smoke[@]}"
}

# Runs the one test with this name of a program. A name that no test has is a mistake.
one_test() {
  local condition="kind == \"test\" && name == \"$1\""
  local listed
  listed=$(run_tests "$condition" --list)
  grep -q "^$2: test$" <<<"$listed" || { echo "no test of $1 is called $2"; return 1; }
  run_tests "$condition" --exact "$2"
}

# With the apiserver of another release of Kubernetes: oldest, or one between it and the newest.
kubernetes_test() {
  export SEATKEEPER_KUBERNETES=$1
  one_test control_plane apiserver_has_release_pinned_by_module_that_environment_selects
  run_tests 'kind == "test" && name == "chart"'
  one_test monitoring apiserver_accepts_every_monitor_shape_or_names_missing_prometheus_crds
  subjects "${oldest[@]}"
}

results='^(test result|SKIPPED)'
# `all.sh kubernetes 1.35`: what runs with the oldest Kubernetes, with that release.
if [ "${1:-}" = kubernetes ]; then
  part -s 'test programs' 'test build' -- build_tests
  part -n 5 'control plane' -- tests/control-plane/build.sh
  part prometheus -- tests/prometheus/get.sh
  part apiserver 'control plane' -- tests/control-plane/build.sh "$2"
  part -s "$results|^played once more" "Kubernetes $2" 'test build' prometheus apiserver -- kubernetes_test "$2"
  run_parts "$logs"
  exit
fi
control_plane=() oldest_apiserver=()
part format -- cargo fmt --all --check
part -s 'test programs' 'test build' -- build_tests
if [ -z "${SKIP_CONTROL_PLANE:-}" ]; then
  # The first tests need none: what is tested is built first.
  part -n 5 'control plane' -- sh -c 'tests/control-plane/build.sh && tests/control-plane/build.sh controllers'
  part prometheus -- tests/prometheus/get.sh
  control_plane=('control plane' prometheus)
  part -n 15 'oldest apiserver' 'control plane' -- tests/control-plane/build.sh oldest
  oldest_apiserver=('oldest apiserver')
  # What it reads lies outside its module, which Go's cache of results does not see.
  part -n 15 -s '^ok' gitops 'control plane' -- go -C gitops/test test -count=1 ./...
  part -n 15 -s '^ok' charts 'control plane' -- go -C charts/test test -count=1 ./...
  part -n 15 -s '^ok' packaging 'control plane' +gitops -- go -C packaging/test test -count=1 ./...
  part -n 15 -s '^ok' kube-state-metrics 'control plane' +charts -- go -C tests/kube-state-metrics test -count=1 ./...
fi
part -s "$results" 'unit tests' 'test build' -- run_tests "$pure"
# Behavior, the other tests and the faults are watched by their times: each has the machine for itself, but for what is
# nice.
part -s "$results|^sequences|^played once more" behavior 'test build' '+unit tests' "${control_plane[@]}" -- behavior_tests
part -s "$results" 'other tests' 'test build' +behavior "${control_plane[@]}" -- run_tests "$other"
part -s "$results|^faults: [0-9]+ run|^(NOT )?caught|^faults: to be|^faults: played|^conformance: |of .* that there are" \
  faults 'test build' '+other tests' "${control_plane[@]}" -- run_tests "$faults"
# Beside them, one after the other. cargo holds the build folder while it checks: not before the tests are built.
part -n 15 cargo-deny '+unit tests' -- make --no-print-directory deny
part -n 15 clippy 'test build' +cargo-deny -- cargo clippy --locked --workspace --exclude seatkeeper-pure --all-targets -- -D warnings
part -n 15 'release build' 'test build' +clippy -- cargo build --release --locked -p seatkeeper
part -n 15 -s '^image' image 'release build' -- packaging/image-tar-test.sh "$built/release/seatkeeper"
part -n 15 -s "$results" 'doc tests' clippy +image -- cargo test --locked --workspace --exclude seatkeeper-pure --doc
part -n 15 -s "$results|^simulated years|^covered" 'simulated years' 'test build' '+doc tests' -- run_tests "$years"
part -n 15 -s "$results|^model" model 'test build' '+simulated years' -- run_tests "$model"
results="$results|^played once more"
part -s "$results" 'release smoke' 'release build' +faults "${control_plane[@]}" -- smoke_test
part -s "$results" 'oldest Kubernetes' 'test build' '+release smoke' "${oldest_apiserver[@]}" -- kubernetes_test oldest
run_parts "$logs"
