#!/usr/bin/env bash
# What is in the image that `make image-tar` makes: these files and no other, for the user and the command of the Dockerfile,
# small, and the same bytes each time.
#
# usage: image-tar-test.sh BINARY
set -euo pipefail
export LC_ALL=C
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf 'image: %s\n' "$*" >&2; exit 1; }

if ! command -v dpkg-deb >/dev/null; then
  [ -z "${CI:-}" ] || fail 'there is no dpkg-deb'
  echo 'image: SKIPPED, there is no dpkg-deb'
  exit 0
fi
"$here/image-tar.sh" "$1" "$work/first" 2>"$work/said" || fail "$(cat "$work/said")"
# The files of the second are newer, and the umask and the time zone of its caller are others.
(umask 077 && TZ=Asia/Tokyo "$here/image-tar.sh" "$1" "$work/second" 2>/dev/null)
for file in rootfs.tar image.oci.tar; do
  cmp "$work/first/$file" "$work/second/$file" || fail "$file has other bytes the second time"
done

case $(uname -m) in
  x86_64) libraries=(lib/x86_64-linux-gnu/{libc.so.6,libgcc_s.so.1,libm.so.6} lib64/ld-linux-x86-64.so.2) ;;
  *) libraries=(lib/aarch64-linux-gnu/{libc.so.6,libgcc_s.so.1,libm.so.6} lib/ld-linux-aarch64.so.1) ;;
esac
expected=$(printf '%s\n' etc/{group,nsswitch.conf,passwd} etc/ssl/certs/ca-certificates.crt "${libraries[@]}" \
  usr/local/bin/seatkeeper usr/share/doc/{ca-certificates,gcc-14-base,libc6}/copyright usr/share/doc/seatkeeper/LICENSE | sort)
found=$(tar --list --file "$work/first/rootfs.tar" | grep -v '/$' | sed 's,^\./,,' | sort)
[ "$found" = "$expected" ] || fail "other files than expected: $(diff <(echo "$expected") <(echo "$found"))"

# No link, no device, nothing that a group or all may write, no setuid or setgid: files are -rw-r--r-- or -rwxr-xr-x, of root.
odd=$(tar --list --verbose --numeric-owner --file "$work/first/rootfs.tar" | grep -Ev '^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) 0/0 ' || true)
[ -z "$odd" ] || fail "odd entries: $odd"

size=$(stat -c %s "$work/first/rootfs.tar")
((size < 30 * 1024 * 1024)) || fail "$size bytes are more than 30 MiB"

mkdir "$work/root" "$work/oci"
tar --extract --file "$work/first/rootfs.tar" --directory "$work/root"
tar --extract --file "$work/first/image.oci.tar" --directory "$work/oci"
for blob in "$work"/oci/blobs/sha256/*; do
  [ "$(sha256sum "$blob" | cut -d ' ' -f 1)" = "$(basename "$blob")" ] || fail "$blob has another digest"
done
grep -a -q "\"User\":\"$(sed -n 's/^USER //p' "$here/../Dockerfile")\"" "$work"/oci/blobs/sha256/* || fail 'another user than in the Dockerfile'
grep -qx 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' "$work/root/etc/passwd" || fail 'no user 65532 in etc/passwd'
for instruction in ENTRYPOINT CMD; do
  wanted=$(sed -n "s/^$instruction //p" "$here/../Dockerfile")
  grep -a -i -q "\"$instruction\":${wanted//[/\\[}" "$work"/oci/blobs/sha256/* || fail "another $instruction than in the Dockerfile"
done
certificates=$(grep -c 'BEGIN CERTIFICATE' "$work/root/etc/ssl/certs/ca-certificates.crt")
((certificates > 100)) || fail "only $certificates certificates"

# It runs where nothing else is, as that user, and is the binary that was given.
cmp "$1" "$work/root/usr/local/bin/seatkeeper"
if [ "$(id -u)" = 0 ]; then
  version=$(chroot --userspec=65532:65532 "$work/root" /usr/local/bin/seatkeeper --version)
  [[ $version == "seatkeeper "* ]] || fail "it says $version"
fi
echo "image: $(wc -l <<<"$found") files, $((size / 1024)) KiB, the same bytes twice"
