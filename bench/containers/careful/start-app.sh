#!/bin/bash
# Brings the database up to what the app needs, then becomes the app.
set -euo pipefail
export DATABASE_URL="postgresql://$DB_USER:$DB_PASSWORD@127.0.0.1:$PGPORT/$DB_NAME"
as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }

until pg_isready -q -h 127.0.0.1 -p "$PGPORT"; do sleep 0.05; done

if [ "$(as_postgres psql -Atqc "SELECT count(*) FROM pg_database WHERE datname = '$DB_NAME'" postgres)" = 0 ]; then
  as_postgres psql -q -v ON_ERROR_STOP=1 postgres <<SQL
DO \$\$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$DB_USER') THEN
    CREATE ROLE $DB_USER LOGIN PASSWORD '$DB_PASSWORD';
  END IF;
END \$\$;
CREATE DATABASE $DB_NAME OWNER $DB_USER;
SQL
fi

if [ "$(psql -Atqc "SELECT to_regclass('public.imported') IS NULL" "$DATABASE_URL")" = t ]; then
  { gunzip -c /seed/tools.sql.gz; echo 'CREATE TABLE public.imported AS SELECT now() AS at;'; } |
    psql -q --single-transaction -v ON_ERROR_STOP=1 "$DATABASE_URL" >/dev/null
fi

cd /app
app=(setpriv --reuid app --regid app --clear-groups)
"${app[@]}" node migrate.mjs
exec "${app[@]}" node server.js
