#!/usr/bin/env bash
# once-more.sh MOST PROGRAM [ARGUMENTS...]: runs a program of tests. Up to MOST tests that fail beside the others because
# something did not happen in time are played once more, each alone: a loaded machine can delay one beyond its patience. It
# fails at once if a test failed in another way, as where seats were bought twice; if more than MOST fail; or if the program
# does not say which failed. It fails too if one of them fails again. The first failure stays in the log.
set -euo pipefail
most=$1 program=$2
shift 2
first=$(mktemp)
trap 'rm -f "$first"' EXIT
status=0
"$program" "$@" 2>&1 | tee "$first" || status=$?
[ "$status" != 0 ] || exit 0
mapfile -t failed < <(sed -n 's/^test \([A-Za-z0-9_:]*\) \.\.\. FAILED$/\1/p' "$first" | sort -u)
count=${#failed[@]}
[ "$count" -gt 0 ] && [ "$count" -le "$most" ] || exit "$status"

# Whether each panic of a test is that of a wait (tests/support/src/wait.rs, or of the simulator), by its output among the failures.
only_waited() {
  awk -v name="$1" '
    /^---- .* stdout ----$/ { here = ($2 == name) }
    /^failures:$/ { here = 0 }
    said { if (/, which did not happen|^assertion failed: .*[.](wait_fired|settle)[(]/) waited++; else other++ }
    { said = here && /^thread .* panicked at / }
    END { exit !(waited > 0 && other == 0) }' "$first"
}

for name in "${failed[@]}"; do
  if ! only_waited "$name"; then
    echo "not played once more: $name did not only wait in vain"
    exit "$status"
  fi
done
again=0
for name in "${failed[@]}"; do
  "$program" --exact "$name" || again=$((again + 1))
done
echo "played once more: $count (of at most $most), failed again: $again: ${failed[*]}"
[ "$again" = 0 ]
