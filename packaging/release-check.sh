#!/usr/bin/env bash
# Whether a tag may be released: the workspace and every chart have its version, and CHANGELOG.md has its section.
#
# usage: release-check.sh vX.Y.Z [ROOT]
set -euo pipefail
root=${2:-$(dirname "$0")/..}
fail() { printf 'release: %s\n' "$*" >&2; exit 1; }
[ $# -ge 1 ] || fail "usage: release-check.sh vX.Y.Z [ROOT]"
[[ $1 =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "the tag $1 is not like v1.2.3"
version=${1#v}
workspace=$(awk '/^\[/ { section = $0 } section == "[workspace.package]" && /^version = / { gsub(/"/, "", $3); print $3 }' "$root/Cargo.toml")
[ "$workspace" = "$version" ] || fail "the tag says $version, and Cargo.toml says $workspace"
for chart in "$root"/charts/*/Chart.yaml; do
  for field in version appVersion; do
    found=$(sed -n "s/^$field: *\"\{0,1\}\([^\" ]*\)\"\{0,1\} *\$/\1/p" "$chart")
    [ "$found" = "$version" ] || fail "the tag says $version, and $field of $chart says ${found:-nothing}"
  done
done
"$(dirname "$0")/changelog.sh" "$version" "$root/CHANGELOG.md" >/dev/null
