#!/bin/bash
set -e
export DATABASE_URL="postgresql://$DB_USER:$DB_PASSWORD@127.0.0.1:$PGPORT/$DB_NAME"
as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }

mkdir -p "$PGDATA" /data/logs
chown postgres:postgres "$PGDATA" && chmod 700 "$PGDATA"

if [ ! -f "$PGDATA/PG_VERSION" ]; then
  echo "Initialising PostgreSQL..."
  as_postgres initdb -D "$PGDATA" --auth-local=peer --auth-host=scram-sha-256
  first_boot=1
fi

echo "Starting PostgreSQL..."
as_postgres postgres -D "$PGDATA" -p "$PGPORT" &
until pg_isready -q -h 127.0.0.1 -p "$PGPORT"; do
  echo "Waiting for PostgreSQL..."
  sleep 2
done

if [ -n "$first_boot" ]; then
  as_postgres psql -q -c "CREATE ROLE $DB_USER LOGIN PASSWORD '$DB_PASSWORD'"
  as_postgres psql -q -c "CREATE DATABASE $DB_NAME OWNER $DB_USER"
fi

if [ ! -f /data/.imported ]; then
  echo "Importing the database..."
  gunzip -c /seed/tools.sql.gz | psql -q "$DATABASE_URL" >/dev/null
  touch /data/.imported
fi

echo "Running migrations..."
(cd /app && node migrate.mjs)

echo "Stopping PostgreSQL..."
as_postgres pg_ctl stop -D "$PGDATA" -m fast

exec supervisord -n -c /etc/supervisor/supervisord.conf
