# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The stack's private PostgreSQL 15 cluster. Uses STATE (the stack's folder), POSTGRES_PORT and the
# process helpers of common.sh. It listens on 127.0.0.1 only; the fleet's role is no superuser.

PG_DATABASE=promofleet
PG_ROLE=promofleet

# PostgreSQL refuses to run as root: then its processes and files belong to the account that Debian's
# package makes.
PG_AS=()
if is_root; then
    PG_AS=(setpriv --reuid=postgres --regid=postgres --init-groups --)
fi

pg_url() {
    printf 'postgresql://%s:%s@127.0.0.1:%s/%s' \
        "$PG_ROLE" "$(<"$STATE/secret/pg_password")" "$POSTGRES_PORT" "$PG_DATABASE"
}

# Sized for a two-core machine with some 24 GiB that several stacks may share. Durability is the real
# one: fsync and synchronous_commit stay on. Terse errors keep values (codes, customers) out of the log.
pg_write_settings() {
    cat >"$STATE/pg/postgresql.auto.conf" <<SETTINGS
# Written by ops/stack.
listen_addresses = '127.0.0.1'
port = $POSTGRES_PORT
unix_socket_directories = ''
max_connections = 100
password_encryption = 'scram-sha-256'

shared_buffers = '512MB'
effective_cache_size = '4GB'
work_mem = '32MB'
maintenance_work_mem = '256MB'
random_page_cost = 1.1
jit = off

fsync = on
synchronous_commit = on
wal_compression = 'lz4'
max_wal_size = '4GB'
checkpoint_timeout = '15min'
checkpoint_completion_target = 0.9

autovacuum = on
deadlock_timeout = '200ms'
timezone = 'UTC'

logging_collector = off
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %a '
log_error_verbosity = 'terse'
log_checkpoints = off
log_lock_waits = on
track_io_timing = on
SETTINGS
}

# Makes the cluster: once per state folder. The marker is written last, a half-made cluster is redone.
pg_create() {
    [[ -f $STATE/pg/.made ]] && return 0
    local password
    rm -rf -- "$STATE/pg"
    install -d -m 700 -- "$STATE/pg"
    is_root && chown postgres:postgres -- "$STATE/pg"
    password=$(<"$STATE/secret/pg_password")
    # The cluster is new: nothing is lost if the machine dies before it is on disk.
    (cd / && "${PG_AS[@]}" "$PG_BIN/initdb" -D "$STATE/pg" -U postgres -E UTF8 --locale=C.UTF-8 \
        --auth=trust --no-sync) </dev/null >"$STATE/log/initdb.log" 2>&1 ||
        pg_fail "cannot make the PostgreSQL cluster" initdb.log
    # Nobody comes in without a password; the file keeps its owner.
    printf 'host all all 127.0.0.1/32 scram-sha-256\n' >"$STATE/pg/pg_hba.conf"
    # The database is made in single-user mode: before the server listens, everything in it is there.
    (cd / && "${PG_AS[@]}" "$PG_BIN/postgres" --single -j -D "$STATE/pg" postgres) \
        >>"$STATE/log/initdb.log" 2>&1 <<SQL || pg_fail "cannot make the database" initdb.log
ALTER ROLE postgres PASSWORD '$password';

CREATE ROLE $PG_ROLE LOGIN CREATEDB CREATEROLE PASSWORD '$password';

GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO $PG_ROLE;

CREATE DATABASE $PG_DATABASE OWNER $PG_ROLE;

SQL
    grep -q 'ERROR:\|FATAL:' "$STATE/log/initdb.log" && pg_fail "cannot make the database" initdb.log
    "${PG_AS[@]}" touch "$STATE/pg/.made"
}

pg_fail() {
    note "--- the end of $STATE/log/$2:"
    tail -n 20 -- "$STATE/log/$2" >&2 || true
    fail "$1"
}

pg_answers() {
    [[ $(PGCONNECT_TIMEOUT=2 psql -XAtq -c 'SELECT 1' "$(pg_url)" 2>/dev/null) == 1 ]]
}

pg_running() { proc_alive "$STATE/run/postgres"; }

# A starting server answers or is gone; both end the wait.
pg_settled() { ! pg_running || pg_answers; }

# What is left of a server that was killed: every process of it works in the data folder.
pg_leftovers() {
    local link exe
    while read -r link; do
        exe=$(readlink -- "${link%cwd}exe" || true)
        [[ $exe == "$PG_BIN/postgres" ]] && link=${link#/proc/} && say "${link%/cwd}"
    done < <(find /proc -maxdepth 2 -name cwd -lname "$STATE/pg" 2>/dev/null || true)
    return 0
}

pg_left() { [[ -z $(pg_leftovers) ]]; }

# A killed server's sessions end by themselves unless they are frozen; while one is there, a new server
# must not start. The lock file is stale once all are gone: PostgreSQL would not see that if its
# process id is a zombie or somebody else's by now.
pg_clear_leftovers() {
    local -a pids
    [[ -e $STATE/pg/postmaster.pid ]] || return 0
    if ! wait_until 5 pg_left; then
        mapfile -t pids < <(pg_leftovers)
        ((${#pids[@]})) && kill -s KILL -- "${pids[@]}" 2>/dev/null
        wait_until 5 pg_left || fail "old PostgreSQL processes do not end: $(pg_leftovers | tr '\n' ' ')"
    fi
    rm -f -- "$STATE/pg/postmaster.pid"
}

# Starts the server without waiting for it; pg_await does.
pg_start() {
    pg_running && return 0
    pg_clear_leftovers
    pg_write_settings
    cd / # the account may be unable to enter where we are
    # No function and no subshell here: $! must be the server itself.
    "${PG_AS[@]}" setsid "$PG_BIN/postgres" -D "$STATE/pg" \
        </dev/null >>"$STATE/log/postgres.log" 2>&1 9>&- &
    proc_record "$STATE/run/postgres" $! || true
    cd - >/dev/null
}

pg_await() {
    # Recovery after a kill reads up to max_wal_size again.
    wait_until 60 pg_settled && pg_running && return 0
    pg_fail "PostgreSQL does not answer on port $POSTGRES_PORT" postgres.log
}

# pg_stop fast|immediate: the fast way ends sessions and writes a checkpoint; the immediate one is a
# crash, from which the next start recovers. It never leaves the server running.
pg_stop() {
    if [[ $1 == fast ]]; then
        proc_signal "$STATE/run/postgres" INT
        wait_until 30 proc_gone "$STATE/run/postgres" || true
    fi
    proc_signal "$STATE/run/postgres" QUIT
    # The server itself kills sessions that do not end within five seconds.
    if ! wait_until 10 proc_gone "$STATE/run/postgres"; then
        proc_signal "$STATE/run/postgres" KILL
        wait_until 10 proc_gone "$STATE/run/postgres" || fail "PostgreSQL (pid $PROC_PID) does not end"
    fi
    proc_forget "$STATE/run/postgres"
}
