#!/usr/bin/env bash
# Prints the krew manifest of the kubectl plugin: the operator's own program, under the name by which kubectl finds it.
#
# usage: krew.sh VERSION FOLDER
# FOLDER has kubectl-seatkeeper-linux-ARCH.tar.gz for each architecture, as the release workflow packs them.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: krew.sh VERSION FOLDER" >&2; exit 1; }
version=$1 folder=$2
cat <<MANIFEST
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: seatkeeper
spec:
  version: v$version
  homepage: https://github.com/seatkeeper/seatkeeper
  shortDescription: Check Seatkeeper, and the windows of LicenseSeats
  description: |
    Seatkeeper keeps the purchased seats of a vendor account at the number that a LicenseSeats object declares.
    kubectl seatkeeper crd prints the CustomResourceDefinitions, openings reads LicenseSeats and prints the next openings of their
    windows, and check says whether the rights of your kubeconfig and the CRDs are in order. None of them reaches a vendor.
  platforms:
MANIFEST
for arch in amd64 arm64; do
  file=kubectl-seatkeeper-linux-$arch.tar.gz
  sum=$(sha256sum "$folder/$file")
  cat <<MANIFEST
    - selector:
        matchLabels: {os: linux, arch: $arch}
      uri: https://github.com/seatkeeper/seatkeeper/releases/download/v$version/$file
      sha256: ${sum%% *}
      bin: kubectl-seatkeeper
      files:
        - {from: kubectl-seatkeeper, to: .}
        - {from: LICENSE, to: .}
MANIFEST
done
