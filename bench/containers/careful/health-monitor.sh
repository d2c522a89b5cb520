#!/bin/bash
# bash speaks enough HTTP to need no curl.
app_answers() {
  exec 3<>"/dev/tcp/127.0.0.1/$PORT" || return
  printf 'GET /api/health HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
  read -r -t 10 _ code _ <&3
  exec 3>&-
  [ "$code" = 200 ]
}
while sleep "${HEALTH_CHECK_INTERVAL:-300}"; do
  if pg_isready -q -h 127.0.0.1 -p "$PGPORT" && app_answers 2>/dev/null; then echo healthy; else echo UNHEALTHY; fi
done
