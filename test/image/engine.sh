# Sourced by the scripts that need Docker. Sets DOCKER (a client that builds with BuildKit) and makes sure that an
# engine answers, installing and starting Debian's own where there is none. Says loudly when it cannot.

say() { printf '%s\n' "$*" >&2; }
die() {
  say "cannot test the image: $1"
  [ $# -lt 2 ] || say "  fix: $2"
  exit 1
}

ensure_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ] ||
    die "these programs are missing: ${missing[*]}" "install them, or run as root on Debian"
  say "… installing ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# A client that builds with BuildKit: one with buildx, or Debian's, which has it built in.
choose_client() {
  if docker buildx version >/dev/null 2>&1; then
    DOCKER=$(command -v docker)
  elif [ -x /usr/bin/docker ]; then
    DOCKER=/usr/bin/docker
  else
    ensure_packages docker.io
    DOCKER=/usr/bin/docker
  fi
  export DOCKER DOCKER_BUILDKIT=1
}

# Without bridge and packet filter the engine starts in places that forbid both; our containers use the host's network.
start_engine() {
  "$DOCKER" info >/dev/null 2>&1 && return
  ensure_packages docker.io
  local log=/var/log/dockerd-image-tests.log
  say "… starting the Docker engine (log: $log)"
  setsid nohup dockerd --iptables=false --bridge=none >"$log" 2>&1 </dev/null &
  for _ in $(seq 150); do
    "$DOCKER" info >/dev/null 2>&1 && return
    sleep 0.2
  done
  tail -n 20 "$log" >&2
  die "the Docker engine does not start" "read $log"
}

choose_client
start_engine
