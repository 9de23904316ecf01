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
services=(postgresql redis redis_cluster)

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

# --- Redis ---------------------------------------------------------------------------------------------
# Tests that claim durability start servers of their own.
redis_settings=(--bind 127.0.0.1 --daemonize yes --save '' --appendonly yes --appendfsync everysec --loglevel warning)

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

redis_runs() { [ -f "$1/pid" ] && kill -0 "$(< "$1/pid")" 2> /dev/null && grep -q redis-server "/proc/$(< "$1/pid")/cmdline"; }

# FOLDER PORT [SETTING...]
redis_launch() {
  local folder="$1" port="$2"
  mkdir -p "$folder"
  printf '%s' "$port" > "$folder/port"
  redis-server --port "$port" --dir "$folder" --pidfile "$folder/pid" --logfile "$folder/log" \
    "${redis_settings[@]}" "${@:3}" > /dev/null 2>&1
  for _ in $(seq 100); do
    [ "$(redis-cli -p "$port" ping 2> /dev/null)" = PONG ] && return 0
    sleep 0.05
  done
  return 1
}

redis_end() {
  redis_runs "$1" || return 0
  local process
  process="$(< "$1/pid")"
  kill "$process"
  for _ in $(seq 100); do kill -0 "$process" 2> /dev/null || return 0; sleep 0.05; done
  kill -9 "$process"
}

start_redis() {
  local folder="$data/redis"
  command -v redis-server > /dev/null || { skip "redis: no server; install the package redis-server"; return 0; }
  redis_runs "$folder" && { status_redis; return 0; }
  redis_launch "$folder" "${MEMEX_REDIS_PORT:-$(free_port)}" --databases 16 ||
    { skip "redis: it does not start, see build/services/redis/log"; return 0; }
  say "redis listens on 127.0.0.1:$(< "$folder/port")"
}
stop_redis() { if redis_runs "$data/redis"; then redis_end "$data/redis"; say "redis is stopped"; fi; }
status_redis() {
  if redis_runs "$data/redis"; then say "redis runs, process $(< "$data/redis/pid")"; else say "redis does not run"; return 1; fi
}
env_redis() {
  status_redis > /dev/null || return 0
  printf 'export MEMEX_TEST_REDIS=redis://127.0.0.1:%s/0\n' "$(< "$data/redis/port")"
}

# --- Redis Cluster: three masters, three replicas --------------------------------------------------------
start_redis_cluster() {
  local folder="$data/redis-cluster" node port ports=() places=()
  command -v redis-server > /dev/null || { skip "redis_cluster: no server; install the package redis-server"; return 0; }
  status_redis_cluster > /dev/null && { status_redis_cluster; return 0; }
  stop_redis_cluster > /dev/null
  rm -rf "$folder"
  for node in 1 2 3 4 5 6; do
    # A node's bus listens 10000 above.
    port="$(free_port)"
    while [ "$port" -gt 55000 ] || [[ " ${ports[*]} " == *" $port "* ]]; do port=$((port - 10000 - RANDOM % 5000)); done
    ports+=("$port")
    places+=("127.0.0.1:$port")
    redis_launch "$folder/$node" "$port" --cluster-enabled yes --cluster-config-file nodes.conf \
      --cluster-node-timeout 1500 --repl-diskless-sync-delay 0 ||
      { stop_redis_cluster; skip "redis_cluster: a node does not start, see $folder/$node/log"; return 0; }
  done
  redis-cli --cluster create "${places[@]}" --cluster-replicas 1 --cluster-yes > "$folder/log" 2>&1 ||
    { stop_redis_cluster; skip "redis_cluster: it cannot be made, see $folder/log"; return 0; }
  # Without a linked replica the first failover would not come.
  for _ in $(seq 200); do
    [ "$(redis-cli -p "${ports[0]}" cluster info | grep -c 'cluster_state:ok')" = 1 ] &&
      [ "$(for port in "${ports[@]}"; do redis-cli -p "$port" info replication; done | grep -c master_link_status:up)" = 3 ] && break
    sleep 0.1
  done
  say "redis_cluster listens on ${places[*]}"
}
stop_redis_cluster() {
  local node found=
  for node in 1 2 3 4 5 6; do
    redis_runs "$data/redis-cluster/$node" && found=1 && redis_end "$data/redis-cluster/$node"
  done
  [ -z "$found" ] || say "redis_cluster is stopped"
}
status_redis_cluster() {
  local node
  for node in 1 2 3 4 5 6; do
    redis_runs "$data/redis-cluster/$node" || { say "redis_cluster does not run"; return 1; }
  done
  say "redis_cluster runs, processes $(cat "$data"/redis-cluster/?/pid | tr '\n' ' ')"
}
env_redis_cluster() {
  status_redis_cluster > /dev/null || return 0
  printf 'export MEMEX_TEST_REDIS_CLUSTER=redis+cluster://127.0.0.1:%s,127.0.0.1:%s\n' \
    "$(< "$data/redis-cluster/1/port")" "$(< "$data/redis-cluster/2/port")"
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
