#!/usr/bin/env bash
# Prints the folder of prometheus and promtool, after it has got them if they are nowhere: those in PATH, else Debian's (or Ubuntu's)
# package, unpacked into the per-user cache. It installs nothing and needs no root.
set -euo pipefail

if found=$(command -v promtool) && [ -x "$(dirname "$found")/prometheus" ]; then
  dirname "$found"
  exit 0
fi
cache="${SEATKEEPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/seatkeeper}/prometheus"
bin="$cache/usr/bin"
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9 # two tests may ask at once: the second finds it there
if [ -x "$bin/promtool" ] && [ -x "$bin/prometheus" ]; then
  echo "$bin"
  exit 0
fi

work=$(mktemp -d "$cache/.partial.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
# The second time with package lists of its own: a fresh machine may have none.
download() { apt-get "$@" download prometheus >apt.log 2>&1; }
own=(-o "Dir::State=$work/state" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=)
get() {
  download && return
  mkdir -p state/lists/partial cache/archives/partial
  apt-get "${own[@]}" update >apt.log 2>&1 && download "${own[@]}"
}
if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null || ! get; then
  [ ! -f apt.log ] || cat apt.log >&2
  echo "prometheus: not found, and apt-get cannot get it. Put prometheus and promtool, 2.42 or later, into one folder of PATH:" >&2
  echo "  https://prometheus.io/download/" >&2
  exit 1
fi
dpkg -x prometheus_*.deb unpacked
mkdir -p "$bin"
mv unpacked/usr/bin/prometheus unpacked/usr/bin/promtool "$bin"
echo "$bin"
