#!/usr/bin/env bash
# Prints the folder of the Prometheus Operator's CRDs, from its Go module: what the apiserver of a cluster with it would accept.
set -euo pipefail
module=github.com/prometheus-operator/prometheus-operator
version=v0.85.0
sum=h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=

cd /
got=$(GOFLAGS='' GOWORK=off go mod download -json "$module@$version")
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" <<<"$got"; }
[ "$(field Sum)" = "$sum" ] || { echo "$module@$version is not the one that is pinned in tests/prometheus/crds.sh: $got" >&2; exit 1; }
echo "$(field Dir)/example/prometheus-operator-crd"
