#!/usr/bin/env bash
# Prints what CHANGELOG.md says of a version, for the GitHub release.
#
# usage: changelog.sh VERSION [FILE]
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: changelog.sh VERSION [FILE]" >&2; exit 1; }
file=${2:-$(dirname "$0")/../CHANGELOG.md}
# awk: from the version's heading to the next heading of its kind, or to the links at the end.
section=$(awk -v heading="## [$1] - " 'index($0, heading) == 1 { found = 1; next } /^## / || /^\[[^]]*\]: / { found = 0 } found' "$file")
[ -n "${section//[[:space:]]/}" ] || {
  echo "$file says nothing of $1: give it a section '## [$1] - YYYY-MM-DD'" >&2
  exit 1
}
printf '%s\n' "$section" | sed -e '1{/^$/d}'
