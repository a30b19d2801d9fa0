# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The stack's broker: one Kafka 4.1 node that is its own controller (KRaft). Uses STATE, KAFKA_PORT,
# CONTROLLER_PORT and the process helpers of common.sh. It listens on 127.0.0.1 only.

kafka_java() {
    local home
    home=$(java_home_of_17) || fail "no Java 17 found; run ops/setup"
    printf '%s/bin/java' "$home"
}

# Settings that differ from Kafka's own, and why:
#   sessions of members may be as short as a second, a dead broker counts as gone after three
#   internal topics have few partitions and one copy: one node, quick start
#   timed-out transactions are looked for every second, so a killed worker blocks readers briefly
kafka_write_settings() {
    cat >"$STATE/kafka/server.properties" <<SETTINGS
# Written by ops/stack.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$CONTROLLER_PORT
listeners=CLIENTS://127.0.0.1:$KAFKA_PORT,CONTROLLER://127.0.0.1:$CONTROLLER_PORT
advertised.listeners=CLIENTS://127.0.0.1:$KAFKA_PORT
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
log.dirs=$STATE/kafka/data

auto.create.topics.enable=false
message.max.bytes=9437184
replica.fetch.max.bytes=9437184
num.partitions=1
default.replication.factor=1
min.insync.replicas=1

offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000

group.min.session.timeout.ms=1000
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500

num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
SETTINGS
}

# Formats the log folder: once per state folder.
kafka_create() {
    [[ -f $STATE/kafka/.made ]] && return 0
    rm -rf -- "$STATE/kafka"
    install -d -m 700 -- "$STATE/kafka"
    kafka_write_settings
    local id
    # 16 random bytes in the broker's own base64 without padding; the first symbol is no dash, which
    # would read as an option.
    id=A$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c2-22)
    "$(kafka_java)" -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$(kafka_dir)/*" \
        kafka.tools.StorageTool format -t "$id" -c "$STATE/kafka/server.properties" \
        >"$STATE/log/kafka-format.log" 2>&1 ||
        kafka_fail "cannot format the broker's folder" kafka-format.log
    : >"$STATE/kafka/.made"
}

kafka_fail() {
    note "--- the end of $STATE/log/$2:"
    tail -n 20 -- "$STATE/log/$2" >&2 || true
    fail "$1"
}

# The broker is up when it names itself: a node that is still fenced answers with no brokers.
kafka_answers() {
    kcat -b "127.0.0.1:$KAFKA_PORT" -L -m 2 2>/dev/null | grep -q '^ 1 brokers:'
}

kafka_running() { proc_alive "$STATE/run/kafka"; }

kafka_settled() { ! kafka_running || kafka_answers; }

# Starts the broker without waiting for it; kafka_await does.
kafka_start() {
    kafka_running && return 0
    kafka_write_settings
    setsid "$(kafka_java)" -Xms256m -Xmx1g -XX:+UseG1GC -XX:MaxGCPauseMillis=50 \
        -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true -Djava.net.preferIPv4Stack=true \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
        -Dorg.slf4j.simpleLogger.dateTimeFormat="yyyy-MM-dd'T'HH:mm:ss.SSSX" \
        -cp "$(kafka_dir)/*" kafka.Kafka "$STATE/kafka/server.properties" \
        </dev/null >>"$STATE/log/kafka.log" 2>&1 9>&- &
    proc_record "$STATE/run/kafka" $! || true
}

kafka_await() {
    wait_until 60 kafka_settled && kafka_running && return 0
    kafka_fail "Kafka does not answer on port $KAFKA_PORT" kafka.log
}

# kafka_stop fast|immediate: the fast way hands the broker's state over and closes its files; the
# immediate one is a crash.
kafka_stop() {
    if [[ $1 == fast ]]; then
        proc_signal "$STATE/run/kafka" TERM CONT
        wait_until 30 proc_gone "$STATE/run/kafka" || true
    fi
    proc_signal "$STATE/run/kafka" KILL
    wait_until 10 proc_gone "$STATE/run/kafka" || fail "Kafka (pid $PROC_PID) does not end"
    proc_forget "$STATE/run/kafka"
}
