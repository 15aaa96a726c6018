#!/usr/bin/env bash
# once-more.sh MOST PROGRAM [ARGUMENTS...]: runs a program of tests. Up to MOST tests that fail beside the others are
# played once more, each alone: a loaded machine can delay one beyond its patience. It fails if one of them fails again, if
# more than MOST fail, or if the program does not say which failed. The first failure stays in the log.
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
again=0
for name in "${failed[@]}"; do
  "$program" --exact "$name" || again=$((again + 1))
done
echo "played once more: $count (of at most $most), failed again: $again: ${failed[*]}"
[ "$again" = 0 ]
