#!/usr/bin/env bash
# Makes the image without docker: the root file system as a tarball, and the same as an OCI archive with its configuration.
# The same binary and the same packages give the same bytes.
#
# usage: image-tar.sh BINARY FOLDER    writes FOLDER/rootfs.tar and FOLDER/image.oci.tar
#
# Needs curl once for each package (then a cache per user), dpkg-deb and GNU tar. The packages come from the mirrors that apt uses on
# a Debian machine; elsewhere DEBIAN_MIRRORS names some, separated by spaces.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022
binary=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")"
say() { printf 'image-tar: %s\n' "$*" >&2; }

case $(uname -m) in
  x86_64) arch=amd64 triplet=x86_64-linux-gnu loader=/lib64/ld-linux-x86-64.so.2 ;;
  aarch64) arch=arm64 triplet=aarch64-linux-gnu loader=/lib/ld-linux-aarch64.so.1 ;;
  *) say "no packages are named for $(uname -m): add them to packaging/debian.txt"; exit 1 ;;
esac
user=$(sed -n 's/^USER //p' ../Dockerfile)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root unpacked=$work/unpacked
mkdir -p "$root" "$unpacked"

cache=${SEATKEEPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/seatkeeper}/debian
mkdir -p "$cache"
# The mirrors of apt's own configuration; package lists are not needed.
mirrors() {
  if [ -n "${DEBIAN_MIRRORS:-}" ]; then
    tr ' ' '\n' <<<"$DEBIAN_MIRRORS"
  elif command -v apt-get >/dev/null; then
    apt-get update --print-uris | sed -n "s,^'\(http[^']*/debian\(-security\)\?\)/dists/.*,\1,p" | sort -u
  fi
}
# Gets one package into the cache, from the first mirror that has it with this sum.
get() {
  local sum=$1 path=$2 mirror
  while read -r mirror; do
    if curl -fsSL --retry 3 -o "$work/package" "$mirror/$path" 2>>"$work/refused" \
      && echo "$sum  $work/package" | sha256sum --check --status; then
      mv "$work/package" "$cache/$sum.deb"
      return
    fi
  done < <(mirrors)
  [ ! -s "$work/refused" ] || cat "$work/refused" >&2
  say "no mirror has $path with the SHA-256 of packaging/debian.txt. Name mirrors of Debian in DEBIAN_MIRRORS. If Debian has a newer package, name it in packaging/debian.txt"
  return 1
}
while read -r of sum path; do
  if [ "$of" != all ] && [ "$of" != "$arch" ]; then continue; fi
  [ -f "$cache/$sum.deb" ] || get "$sum" "$path"
  dpkg-deb --extract "$cache/$sum.deb" "$unpacked"
done < <(grep -v '^#' debian.txt)

# Only what the binary loads, the certificates of public authorities, and the licenses of both.
install -D -m 0755 "$binary" "$root/usr/local/bin/seatkeeper"
install -D -m 0755 "$unpacked/usr/lib/$triplet/$(basename "$loader")" "$root$loader"
for library in libc.so.6 libm.so.6 libgcc_s.so.1; do
  install -D -m 0644 "$unpacked/usr/lib/$triplet/$library" "$root/lib/$triplet/$library"
done
mkdir -p "$root/etc/ssl/certs"
find "$unpacked/usr/share/ca-certificates" -name '*.crt' | sort | xargs cat >"$root/etc/ssl/certs/ca-certificates.crt"
# The license of libgcc is that of its compiler's base.
for package in libc6 gcc-14-base ca-certificates; do
  install -D -m 0644 "$unpacked/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
done
install -D -m 0644 ../LICENSE "$root/usr/share/doc/seatkeeper/LICENSE"
printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:%s:nonroot:/:/sbin/nologin\n' "$user" >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:%s:\n' "${user#*:}" >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"

# With these libraries, not with those of this machine: a binary of a newer machine may need newer ones.
"$root$loader" --library-path "$root/lib/$triplet" "$binary" --version >/dev/null || {
  say "$binary does not start with the libraries of packaging/debian.txt: name newer ones there, or build it on an older machine"
  exit 1
}

pack() { tar --create --file "$2" --directory "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu .; }
pack "$root" "$out/rootfs.tar"

oci=$work/oci
mkdir -p "$oci/blobs/sha256"
digest() { sha256sum "$1" | cut -d ' ' -f 1; }
# Puts a file among the blobs and prints its descriptor of the given type.
blob() {
  local sum
  sum=$(digest "$2")
  cp "$2" "$oci/blobs/sha256/$sum"
  printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s}' "$1" "$sum" "$(stat -c %s "$2")"
}
layer=$(blob layer.v1.tar "$out/rootfs.tar")
printf '{"architecture":"%s","os":"linux","config":{"User":"%s","ExposedPorts":{"8080/tcp":{}},"Entrypoint":["/usr/local/bin/seatkeeper"],"Cmd":["run"],"Env":["PATH=/usr/local/bin","SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
  "$arch" "$user" "$(digest "$out/rootfs.tar")" >"$work/config"
config=$(blob config.v1+json "$work/config")
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' "$config" "$layer" >"$work/manifest"
manifest=$(blob manifest.v1+json "$work/manifest")
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}' "$manifest" >"$oci/index.json"
printf '{"imageLayoutVersion":"1.0.0"}' >"$oci/oci-layout"
pack "$oci" "$out/image.oci.tar"
say "$out/rootfs.tar and $out/image.oci.tar"
