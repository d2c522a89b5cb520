#!/bin/bash
set -euo pipefail
install -d -o postgres -g postgres -m 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  setpriv --reuid postgres --regid postgres --init-groups \
    initdb -D "$PGDATA" --auth-local=peer --auth-host=scram-sha-256 >/dev/null
fi
exec supervisord -n -c /etc/supervisor/supervisord.conf
