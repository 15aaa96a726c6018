#!/usr/bin/env bash
# Builds the pinned control-plane tools once per user and prints the folder that holds them.
#
# usage: build.sh [control-plane|controllers|oldest|1.34|...]          build what is missing, then print the folder
#        build.sh --where [control-plane|controllers|oldest|1.34|...]  print the folder, build nothing
#
# The controllers (controller-manager, scheduler, and kwok in the place of kubelets, with the stages of its module) have a module
# and a folder of their own: few need them. So has the apiserver of the oldest supported Kubernetes, and of each release between
# it and the newest. The cache is keyed by the pins and the Go version, so clones and CI share it and an upgrade never mixes with
# an older build. A tool found in $KUBEBUILDER_ASSETS is not built: the harness takes that one, but for the oldest apiserver.
set -euo pipefail
cd "$(dirname "$0")"
where=
if [ "${1:-}" = --where ]; then
  where=yes
  shift
fi
what=${1:-control-plane}
case $what in
  control-plane) tools='etcd kubectl helm kube-apiserver' takes='about 5 minutes' ;;
  controllers) tools='kube-controller-manager kube-scheduler kwok' takes='about 2 minutes' && cd controllers ;;
  oldest | 1.34 | 1.35 | 1.36) tools=kube-apiserver takes='about 4 minutes' && cd "$what" && KUBEBUILDER_ASSETS= ;;
  *) echo "build.sh: no such tools: $what" >&2 && exit 2 ;;
esac

kubernetes=$(sed -nE 's/^\tk8s.io\/kubernetes v([0-9.]+).*/\1/p' go.mod)
declare -A packages=(
  [etcd]=go.etcd.io/etcd/server/v3
  [kube-apiserver]=k8s.io/kubernetes/cmd/kube-apiserver
  [kubectl]=k8s.io/kubernetes/cmd/kubectl
  [helm]=helm.sh/helm/v4/cmd/helm
  [kube-controller-manager]=k8s.io/kubernetes/cmd/kube-controller-manager
  [kube-scheduler]=k8s.io/kubernetes/cmd/kube-scheduler
  [kwok]=sigs.k8s.io/kwok/cmd/kwok
)
key=$(cat go.mod go.sum <(go env GOVERSION GOOS GOARCH) | sha256sum | cut -c1-16)
cache="${SEATKEEPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/seatkeeper}/$what-$key"
if [ -n "$where" ]; then
  echo "$cache"
  exit 0
fi

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9 # two clones may ask at once: the second waits and finds everything built

build=
trap '[ -z "$build" ] || kill "$build" 2>/dev/null || true' EXIT
say() { printf '%s\n' "$*" >&2; }
IFS=. read -r major minor _ <<<"$kubernetes"
version=k8s.io/component-base/version
ldflags="-s -w -X $version.gitVersion=v$kubernetes -X $version.gitMajor=$major -X $version.gitMinor=$minor"
for tool in $tools; do
  if [ -x "$cache/$tool" ] || [ -x "${KUBEBUILDER_ASSETS:-/nonexistent}/$tool" ]; then
    continue
  fi
  say "control plane: building $tool from Go modules (all tools: $takes, once per machine) ..."
  started=$SECONDS
  CGO_ENABLED=0 GOFLAGS= go build -trimpath -ldflags "$ldflags" -o "$cache/.$tool.partial" "${packages[$tool]}" &
  build=$!
  # A silent minute looks like a hang; the last tick must not outlive the build.
  while kill -0 "$build" 2>/dev/null; do
    sleep 1
    elapsed=$((SECONDS - started))
    if ((elapsed > 0 && elapsed % 20 == 0)); then say "control plane: $tool, ${elapsed}s ..."; fi
  done
  wait "$build" || { say "control plane: $tool did not build (exit $?)"; exit 1; }
  build=
  mv "$cache/.$tool.partial" "$cache/$tool"
  say "control plane: $tool ready after $((SECONDS - started))s"
done
# By these stages kwok makes nodes and pods ready. Its command has none of its own.
if [[ $tools == *kwok* && ! -s $cache/kwok-stages.yaml ]]; then
  GOFLAGS= go mod download sigs.k8s.io/kwok
  stages=$(go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
  for stage in node/fast/node-initialize node/heartbeat-with-lease/node-heartbeat-with-lease pod/fast/pod-ready pod/fast/pod-delete; do
    printf -- '---\n' && cat "$stages/$stage.yaml"
  done >"$cache/.stages.partial"
  mv "$cache/.stages.partial" "$cache/kwok-stages.yaml"
fi
echo "$cache"
