#!/bin/sh
# Unpacks Debian 11's consul into the folder $1: Debian 12 has none, and the newer system needs nothing of the older one.
# Its own lists, status and cache keep apt's of this machine untouched; what comes is checked with Debian's own keys.
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mirror=$(apt-get indextargets 'Created-By: Packages' --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' |
  awk '$3 == "main" && $2 !~ /-/ { print $1; exit }')
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/state"
: > "$work/status"
echo "deb $mirror bullseye main" > "$work/sources.list"
cat > "$work/apt.conf" <<END
Dir::State "$work/state";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
END
export APT_CONFIG="$work/apt.conf"
apt-get update -qq
cd "$work"
apt-get download -qq consul
dpkg-deb -x consul_*.deb root
mv root/usr/bin/consul "$folder/consul"
