#!/bin/bash
while true; do
  sleep "${HEALTH_CHECK_INTERVAL:-300}"
  if pg_isready -q -h 127.0.0.1 -p "$PGPORT" && curl -fsS -m 10 "http://127.0.0.1:$PORT/api/health" >/dev/null; then
    echo "$(date) healthy"
  else
    echo "$(date) UNHEALTHY"
  fi
done
