# Sourced after engine.sh. Sets BULKHEAD_TEST_COMPOSE to a real Docker Compose: the plugin that is there, else Debian 13's,
# taken out of its package by a container and kept among our own files of this machine.

find_compose() {
  local plugin kept container
  plugin=$("$DOCKER" info --format '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}')
  if [ -n "$plugin" ]; then
    printf '%s' "$plugin"
    return
  fi
  kept=${XDG_CACHE_HOME:-$HOME/.cache}/bulkhead-test/docker-compose
  if [ ! -x "$kept" ]; then
    say '… taking Docker Compose from Debian'
    mkdir -p "$(dirname "$kept")"
    container=$("$DOCKER" create --network host debian:trixie-slim sh -c '
      apt-get update -qq && cd /tmp && apt-get download -qq docker-compose && dpkg -x docker-compose_*.deb /tmp/compose')
    "$DOCKER" start -a "$container" >/dev/null &&
      "$DOCKER" cp "$container:/tmp/compose/usr/libexec/docker/cli-plugins/docker-compose" "$kept.new" &&
      mv "$kept.new" "$kept" || die 'Docker Compose cannot be had from Debian' 'install the plugin docker-compose'
    "$DOCKER" rm -f "$container" >/dev/null
  fi
  printf '%s' "$kept"
}

BULKHEAD_TEST_COMPOSE=$(find_compose)
export BULKHEAD_TEST_COMPOSE
