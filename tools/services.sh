#!/usr/bin/env bash
# Servers for the tests, on loopback, with their data under build/services. Each is ended by its process id.
#
#   tools/services.sh start|stop|status [SERVICE...]     all services when none is named
#   tools/services.sh env                                what the tests want in their environment, for eval
#
# A server that cannot be started here is skipped, with the reason; its tests are then skipped, too.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
data="$PWD/build/services"
services=(postgresql)

say() { printf '==> %s\n' "$*"; }
skip() { printf 'SKIPPED %s\n' "$*"; }

# --- PostgreSQL ----------------------------------------------------------------------------------------
# The port of the server that runs, else the one asked for, else a free one.
postgresql_port() {
  local file
  file="$(postgresql_home)/data/postmaster.pid"
  if [ -f "$file" ]; then sed -n 4p "$file"; return; fi
  printf '%s\n' "${MEMEX_POSTGRESQL_PORT:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}"
}
postgresql_bin() {
  local folder
  for folder in ${MEMEX_POSTGRESQL_BIN:-} /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
    [ -x "$folder/initdb" ] && printf '%s\n' "$folder"
  done | sort -V | tail -1
}

# PostgreSQL refuses to run as root.
postgresql_as() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# Where the postgres user may write although the checkout belongs to root, perhaps below a closed folder.
postgresql_home() {
  if [ "$(id -u)" = 0 ] && ! runuser -u postgres -- test -x "$data"; then
    printf '/tmp/memex-services-%s' "$(printf '%s' "$data" | cksum | cut -d' ' -f1)"
  else
    printf '%s/postgresql' "$data"
  fi
}

start_postgresql() {
  local bin home port
  bin="$(postgresql_bin)"
  if [ -z "$bin" ]; then skip "postgresql: no server; install the package postgresql"; return 0; fi
  if [ "$(id -u)" = 0 ] && ! id postgres > /dev/null 2>&1; then
    skip "postgresql: it does not run as root, and there is no user postgres"; return 0
  fi
  mkdir -p "$data"
  home="$(postgresql_home)"
  if status_postgresql > /dev/null; then status_postgresql; return 0; fi
  # What a machine that went down left behind.
  rm -f "$home/data/postmaster.pid"
  port="$(postgresql_port)"
  if [ "$(id -u)" = 0 ]; then install -d -o postgres -g postgres "$home"; else mkdir -p "$home"; fi
  if [ ! -f "$home/data/PG_VERSION" ]; then
    postgresql_as "$bin/initdb" -D "$home/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 > "$data/postgresql.log" 2>&1 ||
      { skip "postgresql: initdb failed, see build/services/postgresql.log"; return 0; }
  fi
  # fsync stays on: the tests claim durability.
  postgresql_as "$bin/pg_ctl" -D "$home/data" -l "$home/log" -w -t 60 -s \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$home -c max_connections=200 -c max_wal_size=512MB -c log_min_messages=fatal -c log_min_error_statement=fatal" \
    start > /dev/null 2>&1 || { skip "postgresql: it does not start, see $home/log"; return 0; }
  say "postgresql listens on 127.0.0.1:$port"
}

stop_postgresql() {
  local bin home
  bin="$(postgresql_bin)"
  home="$(postgresql_home)"
  [ -f "$home/data/postmaster.pid" ] || return 0
  postgresql_as "$bin/pg_ctl" -D "$home/data" -m fast -w -s stop && say "postgresql is stopped"
}

status_postgresql() {
  local home
  home="$(postgresql_home)"
  if [ -f "$home/data/postmaster.pid" ] && kill -0 "$(head -1 "$home/data/postmaster.pid")" 2> /dev/null; then
    say "postgresql runs, process $(head -1 "$home/data/postmaster.pid")"
  else
    say "postgresql does not run"
    return 1
  fi
}

env_postgresql() {
  status_postgresql > /dev/null || return 0
  printf 'export MEMEX_TEST_POSTGRESQL=postgresql://postgres@127.0.0.1:%s/postgres\n' "$(postgresql_port)"
  printf 'export MEMEX_TEST_POSTGRESQL_BIN=%s\n' "$(postgresql_bin)"
}

# -------------------------------------------------------------------------------------------------------
command="${1:-}"
shift || true
[ $# -gt 0 ] && services=("$@")
case "$command" in
  start | stop | status | env)
    failed=0
    for service in "${services[@]}"; do
      declare -F "${command}_$service" > /dev/null || { printf 'error: no service %s\n' "$service" >&2; exit 2; }
      "${command}_$service" || failed=1
    done
    [ "$command" = status ] && exit "$failed"
    exit 0 ;;
  *) sed -n '2,7p' "$0" >&2; exit 2 ;;
esac
