#!/usr/bin/env bash
# Writes the files of a release that need no registry: every chart as a package, and the CRDs.
#
# usage: release-files.sh FOLDER
# Needs helm in PATH.
set -euo pipefail
mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "$0")/.."
for chart in charts/*/Chart.yaml; do
  helm package "$(dirname "$chart")" --destination "$out"
done
for crd in crds/*.yaml; do
  printf -- '---\n'
  cat "$crd"
done >"$out/seatkeeper-crds.yaml"
