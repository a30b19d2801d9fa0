# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the scripts of ops/ share: where things live, how to say something, how to lock, and which
# processes are ours. Sourced, never run. Callers have set -euo pipefail.
#
# Outside the sources we use two folders:
#   cache  ${XDG_CACHE_HOME:-~/.cache}/promofleet             builds, the broker's jars, a Python venv
#   state  ${PROMO_STATE:-${XDG_STATE_HOME:-~/.local/state}/promofleet}   one folder per stack
# As root the state's default is /var/lib/promofleet: PostgreSQL refuses to run as root, and the
# account it runs under cannot enter root's home folder.

# shellcheck disable=SC2034 # used by the scripts that source this file
SOURCE_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
CACHE_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/promofleet

# The postgres binaries are not on PATH in Debian.
PG_BIN=/usr/lib/postgresql/15/bin

EXIT_USAGE=64
EXIT_CONFIG=78

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }

# fail [CODE] MESSAGE: says which script failed and leaves.
fail() {
    local code=1
    if [[ $1 =~ ^[0-9]+$ ]]; then
        code=$1
        shift
    fi
    printf '%s: %s\n' "${PROGRAM:-$(basename -- "$0")}" "$*" >&2
    exit "$code"
}

is_root() { ((EUID == 0)); }

# quote TEXT: TEXT as one word of a POSIX shell.
quote() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# json_string TEXT: TEXT as a JSON string. Newlines and tabs are the only controls that a path or a
# log word of ours can hold.
json_string() {
    local s=$1
    s=${s//\\/\\\\}
    s=${s//\"/\\\"}
    s=${s//$'\n'/\\n}
    s=${s//$'\t'/\\t}
    printf '"%s"' "$s"
}

# now_ms: milliseconds since some moment; for deadlines.
now_ms() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# wait_until SECONDS COMMAND...: runs COMMAND until it succeeds; 1 when the time is over. It asks once
# more after the deadline, so a machine that stood still does not fail what is ready by now.
wait_until() {
    local deadline pause=0.02
    deadline=$(($(now_ms) + $1 * 1000))
    shift
    while ! "$@"; do
        if (($(now_ms) > deadline)); then
            "$@" && return 0
            return 1
        fi
        sleep "$pause"
        [[ $pause == 0.02 ]] && pause=0.05 || pause=0.1
    done
}

# hash_of TEXT: twelve hexadecimal digits.
hash_of() { printf '%s' "$1" | sha256sum | cut -c1-12; }

# build_dir: where ops/stack builds; one folder per copy of the sources.
build_dir() { printf '%s' "${PROMO_BUILD_DIR:-$CACHE_DIR/build-$(hash_of "$SOURCE_DIR")}"; }

# state_root: the folder of all stacks.
state_root() {
    if [[ -n ${PROMO_STATE:-} ]]; then
        printf '%s' "$PROMO_STATE"
    elif [[ -n ${XDG_STATE_HOME:-} ]]; then
        printf '%s/promofleet' "$XDG_STATE_HOME"
    elif is_root; then
        printf '/var/lib/promofleet'
    else
        printf '%s/.local/state/promofleet' "$HOME"
    fi
}

# kafka_dir: the broker's jars; the name changes with the pinned versions.
kafka_dir() {
    printf '%s/kafka-%s' "$CACHE_DIR" "$(sha256sum <"$SOURCE_DIR/ops/kafka/pom.xml" | cut -c1-12)"
}

# checks_venv: the Python environment of the checks; the name changes with the pinned versions.
checks_venv() {
    printf '%s/checks-%s' "$CACHE_DIR" \
        "$(sha256sum <"$SOURCE_DIR/ops/ci/requirements.txt" | cut -c1-12)"
}

# java_home_of_17: prints a Java 17 or newer home, 1 when there is none. The release file is read
# instead of starting a JVM, which would cost 50 ms.
java_home_of_17() {
    local home version path
    path=$(command -v java || true)
    [[ -n $path ]] && path=$(readlink -f -- "$path") && path=${path%/bin/java}
    for home in "${JAVA_HOME:-}" "$path" /usr/lib/jvm/*; do
        [[ -n $home && -x $home/bin/java && -r $home/release ]] || continue
        version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
        if [[ -n $version ]] && ((version >= 17)); then
            printf '%s' "$home"
            return 0
        fi
    done
    return 1
}

# --- processes ------------------------------------------------------------------------------------
#
# A process id alone can be somebody else's by now, so <file>.proc holds "pid start-time boot-id";
# a process is ours only while all three agree.

# proc_start PID: start time in clock ticks since boot; 1 when there is no such process or only its
# zombie is left.
proc_start() {
    local stat fields
    { read -r -d '' stat <"/proc/$1/stat"; } 2>/dev/null || true
    [[ -n ${stat:-} ]] || return 1
    # The command in parentheses may contain spaces; what follows the last one does not.
    read -r -a fields <<<"${stat##*) }"
    [[ ${fields[0]} != Z && ${fields[0]} != X ]] || return 1
    printf '%s' "${fields[19]}"
}

boot_id() { printf '%s' "$(</proc/sys/kernel/random/boot_id)"; }

# proc_record FILE PID: remembers a process as FILE.proc, and its bare id as FILE.pid for people and
# tests. 1 when it is gone already.
proc_record() {
    local start
    start=$(proc_start "$2") || return 1
    printf '%s %s %s\n' "$2" "$start" "$(boot_id)" >"$1.proc.new"
    mv -f -- "$1.proc.new" "$1.proc"
    printf '%s\n' "$2" >"$1.pid.new"
    mv -f -- "$1.pid.new" "$1.pid"
}

# proc_alive FILE: succeeds while the recorded process lives; PROC_PID is its id, else empty.
proc_alive() {
    local pid start boot
    PROC_PID=
    { read -r pid start boot <"$1.proc"; } 2>/dev/null || return 1
    [[ $boot == "$(boot_id)" && $start == "$(proc_start "$pid")" ]] || return 1
    PROC_PID=$pid
}

proc_gone() { ! proc_alive "$1"; }

# proc_signal FILE SIGNAL...: signals the recorded process if it still is that process.
proc_signal() {
    local file=$1 signal
    shift
    for signal in "$@"; do
        proc_alive "$file" && kill -s "$signal" -- "$PROC_PID" 2>/dev/null
    done
    return 0
}

proc_forget() { rm -f -- "$1.proc" "$1.pid"; }

# free_port: prints a TCP port that no socket on this machine uses and that is not in RESERVED_PORTS.
# Below the kernel's own range (32768 and up), so that no outgoing connection takes it while its
# server is down.
free_port() {
    local used port try
    used=" $(awk 'FNR > 1 { n = split($2, a, ":"); print a[n] }' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        sort -u | while read -r port; do printf '%d ' "0x$port"; done) ${RESERVED_PORTS:-} "
    for ((try = 0; try < 1000; try++)); do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if [[ $used != *" $port "* ]]; then
            printf '%s' "$port"
            return 0
        fi
    done
    return 1
}
