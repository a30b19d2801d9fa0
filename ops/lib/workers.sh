# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The stack's workers: each slot is one supervised process. Uses STATE, BIN_DIR, KAFKA_PORT and the
# helpers of common.sh and postgres.sh. A slot's files in <state>/run:
#   <slot>.super.*   its supervisor       <slot>.pid, .proc   the current worker
#   <slot>.http      where it serves /metrics, /healthz, /readyz
#   <slot>.state     what the supervisor last said

WORKER_KINDS=(campaign generate redeem export maintain)
WORKERS_DEFAULT='campaign=1,generate=2,redeem=2,export=1,maintain=1'
STOP_SECONDS=15

# slots_of SPEC: "redeem=2,export=1" as slot names, one a line; fails on anything else.
slots_of() {
    local item kind count i known
    local -A seen=()
    local -a items
    IFS=, read -r -a items <<<"$1"
    for item in "${items[@]}"; do
        [[ $item =~ ^([a-z]+)=([0-9]{1,2})$ ]] ||
            fail $EXIT_USAGE "--workers: '$item' is not kind=count with a count of 0 to 99"
        kind=${BASH_REMATCH[1]}
        count=$((10#${BASH_REMATCH[2]}))
        known=" ${WORKER_KINDS[*]} "
        [[ $known == *" $kind "* ]] || fail $EXIT_USAGE "--workers: no such kind '$kind'"
        [[ -z ${seen[$kind]:-} ]] || fail $EXIT_USAGE "--workers: '$kind' twice"
        seen[$kind]=1
        for ((i = 1; i <= count; i++)); do
            say "$kind-$i"
        done
    done
}

# Slots that were ever started and not removed since.
slots_known() {
    local file
    for file in "$STATE"/run/*.http; do
        [[ -e $file ]] || continue
        file=${file##*/}
        say "${file%.http}"
    done
}

slot_binary() { printf '%s/%s-worker' "$BIN_DIR" "${1%-*}"; }

slot_reserve_port() {
    local port
    [[ -s $STATE/run/$1.http ]] && return 0
    lock_ports
    port=$(free_port) || fail "no free port"
    printf '127.0.0.1:%s\n' "$port" >"$STATE/run/$1.http"
    unlock_ports
}

# What every program of the fleet needs to know about this stack.
fleet_environment() {
    export KAFKA_BROKERS=127.0.0.1:$KAFKA_PORT
    PGURL=$(pg_url)
    export PGURL
    export PROMO_FLEET_SECRET_FILE=$STATE/secret/fleet_secret
    export PROMO_EXPORT_DIR=$STATE/exports
}

# slot_start SLOT: does nothing when its supervisor lives. A worker whose supervisor was killed is
# stopped first: two workers of one slot would fence each other for ever.
slot_start() {
    local slot=$1 run=$STATE/run/$1
    proc_alive "$run.super" && return 0
    proc_signal "$run" TERM CONT
    if ! wait_until "$STOP_SECONDS" proc_gone "$run"; then
        proc_signal "$run" KILL
        wait_until 5 proc_gone "$run" || fail "$slot (pid $PROC_PID) does not end"
    fi
    proc_forget "$run"
    slot_reserve_port "$slot"
    # Only a supervisor that has begun writes this; a wait must not see the state of the last one.
    rm -f -- "$run.state"
    (
        fleet_environment
        export PROMO_SLOT=$slot
        PROMO_HTTP_LISTEN=$(<"$run.http")
        export PROMO_HTTP_LISTEN
        # A worker finds its own folder's files relative to nothing; / keeps no mount busy.
        cd /
        exec setsid "$SOURCE_DIR/ops/lib/supervise" "$run" "$STOP_SECONDS" "$(slot_binary "$slot")" \
            </dev/null >>"$STATE/log/$slot.log" 2>&1 9>&-
    ) &
    proc_record "$run.super" $! || true
}

# http_status ADDRESS PATH: prints the status code, 1 when there is no answer within two seconds.
http_status() {
    local line='' host=${1%:*} port=${1##*:}
    {
        exec 8<>"/dev/tcp/$host/$port" || return 1
    } 2>/dev/null
    printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" "$1" >&8 2>/dev/null || true
    read -r -t 2 -u 8 line || true
    exec 8>&-
    [[ $line =~ ^HTTP/1\.[01]\ ([0-9]{3}) ]] || return 1
    printf '%s' "${BASH_REMATCH[1]}"
}

slot_ready() {
    proc_alive "$STATE/run/$1" && [[ $(http_status "$(<"$STATE/run/$1.http")" /readyz) == 200 ]]
}

# What the supervisor said last; a supervisor that is gone says nothing.
slot_state() {
    local state=stopped
    [[ -r $STATE/run/$1.state ]] && read -r state <"$STATE/run/$1.state"
    if ! proc_alive "$STATE/run/$1.super" && [[ $state != failed* ]]; then
        state=stopped
    fi
    printf '%s' "$state"
}

slot_settled() { [[ $(slot_state "$1") == failed* ]] || slot_ready "$1"; }

# slot_await SLOT: waits for /readyz; fails with the log's end.
slot_await() {
    wait_until "$READY_SECONDS" slot_settled "$1" && slot_ready "$1" && return 0
    note "--- the end of $STATE/log/$1.log:"
    tail -n 20 -- "$STATE/log/$1.log" >&2 || true
    fail "$1 is not ready: $(slot_state "$1")"
}

# slots_stop SLOT...: all at the same time. The supervisor gives its worker STOP_SECONDS; if it does
# not manage, both are killed. Asking again covers a signal that came between two steps of a script.
slots_stop() {
    local slot deadline left
    deadline=$(($(now_ms) + (STOP_SECONDS + 5) * 1000))
    while :; do
        left=0
        for slot in "$@"; do
            if proc_alive "$STATE/run/$slot.super"; then
                left=1
                kill -s TERM -- "$PROC_PID" 2>/dev/null || true
            elif proc_alive "$STATE/run/$slot"; then
                left=1
                proc_signal "$STATE/run/$slot" TERM CONT
            fi
        done
        ((left)) && (($(now_ms) < deadline)) || break
        sleep 0.1
    done
    for slot in "$@"; do
        proc_signal "$STATE/run/$slot.super" KILL
        proc_signal "$STATE/run/$slot" KILL
        wait_until 5 proc_gone "$STATE/run/$slot" || fail "$slot (pid $PROC_PID) does not end"
        proc_forget "$STATE/run/$slot.super"
        proc_forget "$STATE/run/$slot"
    done
}

# slots_remove SLOT...: stopped and no longer part of the stack; their logs stay.
slots_remove() {
    local slot
    slots_stop "$@"
    for slot in "$@"; do
        rm -f -- "$STATE/run/$slot".{http,state,starts}
    done
}
