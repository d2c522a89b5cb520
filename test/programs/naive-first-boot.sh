#!/usr/bin/env bash
# The first boot of most images, for comparison: files count as proof that a step is done, and the import goes straight
# into the database that will be used. Needs PGDATA, PGHOST (a folder), PGPORT and DUMP.
set -uo pipefail
trap 'pg_ctl -m fast -w stop >/dev/null; exit 0' TERM

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb -U postgres -A trust -E UTF8 --locale=C "$PGDATA" >/dev/null || exit 1
fi
# As many do, because a killed server leaves it behind.
rm -f "$PGDATA/postmaster.pid"
pg_ctl -w -t 20 -o "-c listen_addresses='' -c unix_socket_directories='$PGHOST' -p $PGPORT" start || exit 1
if [ ! -e "$PGHOST/imported" ]; then
  createdb -U postgres tools
  psql -X -q -U postgres -d tools -f "$DUMP"
  touch "$PGHOST/imported"
fi
echo 'naive: ready'
while :; do
  sleep 1000 &
  wait $!
done
