/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_conf.h"

#include "kafka_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define OWN_OPTION "it has an option of its own"
#define FROM_SLOT "it follows from the worker's slot"
#define ONE_TRANSACTION "offsets move in the transaction of the outcomes and in no other way"
#define ONCE "outcomes appear once"

const struct kafka_denied kafka_denied[] = {
    {"bootstrap.servers", OWN_OPTION},
    {"metadata.broker.list", OWN_OPTION},
    {"client.id", OWN_OPTION},
    {"group.id", OWN_OPTION},
    {"session.timeout.ms", OWN_OPTION},
    {"transaction.timeout.ms", OWN_OPTION},
    {"group.instance.id", FROM_SLOT},
    {"transactional.id", FROM_SLOT},
    {"enable.auto.commit", ONE_TRANSACTION},
    {"auto.commit.enable", ONE_TRANSACTION},
    {"auto.commit.interval.ms", ONE_TRANSACTION},
    {"enable.auto.offset.store", ONE_TRANSACTION},
    {"offset.store.method", ONE_TRANSACTION},
    {"offset.store.path", ONE_TRANSACTION},
    {"offset.store.sync.interval.ms", ONE_TRANSACTION},
    {"isolation.level", "commands of aborted transactions must not be carried out"},
    {"auto.offset.reset", "a missing offset must stop the worker, not skip or repeat commands"},
    {"partition.assignment.strategy", "the loop is written for the eager protocol, and all members "
                                      "of a group must agree"},
    {"group.protocol", "the loop is written for the eager protocol"},
    {"group.protocol.type", "the loop is written for the eager protocol"},
    {"group.remote.assignor", "the loop is written for the eager protocol"},
    {"enable.idempotence", ONCE},
    {"acks", ONCE},
    {"request.required.acks", ONCE},
    {"max.in.flight", ONCE},
    {"max.in.flight.requests.per.connection", ONCE},
    {"retries", ONCE},
    {"message.send.max.retries", ONCE},
    {"enable.gapless.guarantee", ONCE},
    {"queuing.strategy", "outcomes of one key stay in order"},
    {"message.timeout.ms", "it follows from the transaction time-out"},
    {"delivery.timeout.ms", "it follows from the transaction time-out"},
    {"delivery.report.only.error", "deliveries are counted"},
    {"dr_cb", "deliveries are counted"},
    {"dr_msg_cb", "deliveries are counted"},
    {"partitioner", "records of one key must meet those of publishers with the Java client"},
    {"partitioner_cb", "records of one key must meet those of publishers with the Java client"},
    {"message.max.bytes", "the topics' sizes are part of the contract"},
    {"receive.message.max.bytes", "the largest message must pass"},
    {"allow.auto.create.topics", "topics are made with their right settings only"},
    {"enable.partition.eof", "the loop does not expect it"},
    {"consume.callback.max.messages", "the loop does not expect it"},
    {"log.queue", "lines would wait for the loop"},
    {"plugin.library.paths", "it would load foreign code into the worker"},
    {"test.mock.num.brokers", "a worker must talk to a real broker"},
    {"test.mock.broker.rtt", "a worker must talk to a real broker"},
    {NULL, NULL},
};

static const char *const secret_names[] = {
    "sasl.password",
    "sasl.username",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
};

const char *kafka_conf_denied(const char *name)
{
    for (const struct kafka_denied *denied = kafka_denied; denied->name; denied++) {
        if (strcmp(denied->name, name) == 0)
            return denied->reason;
    }
    return NULL;
}

bool kafka_conf_is_secret(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(secret_names); i++) {
        if (strcmp(secret_names[i], name) == 0)
            return true;
    }
    return false;
}

const char *kafka_version_text(void)
{
    return rd_kafka_version_str();
}

static int bad_option(struct err *err, const char *name, const char *code, const char *why)
{
    (void)err_set(err, ERR_FATAL, "kafka", code, "Kafka option %.100s: %s", name, why);
    if (err)
        (void)snprintf(err->pointer, sizeof(err->pointer), "%s", name);
    return -1;
}

static int set_text(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err)
{
    char why[256];
    switch (rd_kafka_conf_set(conf, name, value, why, sizeof(why))) {
    case RD_KAFKA_CONF_OK:
        return 0;
    case RD_KAFKA_CONF_UNKNOWN:
        return bad_option(err, name, "unknown_option", "librdkafka does not know it");
    case RD_KAFKA_CONF_INVALID:
        break;
    }
    /* librdkafka's sentence quotes the value. */
    return bad_option(err, name, "bad_option",
                      kafka_conf_is_secret(name) ? "its value is refused" : why);
}

static int set_number(rd_kafka_conf_t *conf, const char *name, int64_t value, struct err *err)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    return set_text(conf, name, text, err);
}

static int set_pairs(rd_kafka_conf_t *conf, const struct kafka_pair *pairs, size_t n,
                     struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (set_text(conf, pairs[i].name, pairs[i].value, err) < 0)
            return -1;
    }
    return 0;
}

/* Options that only newer versions have: to be without them is no error. */
static void set_if_known(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    (void)rd_kafka_conf_set(conf, name, value, NULL, 0);
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

/* Tuning: the operator may pass other values. */
static int set_tuning(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                      enum kafka_role role, struct err *err)
{
    static const struct kafka_pair all[] = {
        /* A restarted broker is found again within a second. */
        {"reconnect.backoff.ms", "100"},
        {"reconnect.backoff.max.ms", "1000"},
        {"socket.keepalive.enable", "true"},
        /* A broker that is gone closes connections; that is no news. */
        {"log.connection.close", "false"},
    };
    static const struct kafka_pair reading[] = {
        /* An answer may take as long as this before the connection counts as dead. */
        {"socket.timeout.ms", "10000"},
        {"queued.max.messages.kbytes", "16384"},
        {"fetch.wait.max.ms", "100"},
        /* A partition's first batch is sent whatever its size, so larger messages do pass; what
         * these bound is the memory that many partitions take. */
        {"fetch.message.max.bytes", "1048576"},
        {"fetch.max.bytes", "10485760"},
        {"fetch.error.backoff.ms", "100"},
    };
    static const struct kafka_pair writing[] = {
        {"linger.ms", "2"},
        {"compression.codec", "lz4"},
        {"queue.buffering.max.messages", "100000"},
        {"queue.buffering.max.kbytes", "32768"},
        {"retry.backoff.ms", "50"},
    };
    if (set_pairs(conf, all, ARRAY_LEN(all), err) < 0)
        return -1;
    /* Members hear of a rebalance with the answer to a heartbeat. */
    int64_t session = or_default(settings->session_timeout_ms, KAFKA_SESSION_TIMEOUT_MS);
    if (role == KAFKA_ROLE_CONSUMER &&
        set_number(conf, "heartbeat.interval.ms", MIN_OF(session / 3, 1000), err) < 0)
        return -1;
    /* From 2.2: a full queue makes the fetcher pause, by default for a whole second. */
    if (role == KAFKA_ROLE_CONSUMER || role == KAFKA_ROLE_READER)
        set_if_known(conf, "fetch.queue.backoff.ms", "10");
    /* From 2.5: we have metrics of our own. */
    set_if_known(conf, "enable.metrics.push", "false");
    switch (role) {
    case KAFKA_ROLE_CONSUMER:
    case KAFKA_ROLE_READER:
        return set_pairs(conf, reading, ARRAY_LEN(reading), err);
    case KAFKA_ROLE_TRANSACTIONAL:
    case KAFKA_ROLE_PLAIN:
        return set_pairs(conf, writing, ARRAY_LEN(writing), err);
    case KAFKA_ROLE_ADMIN:
        break;
    }
    return 0;
}

static int set_passed_through(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                              struct err *err)
{
    for (size_t i = 0; i < settings->property_count; i++) {
        const struct kafka_pair *pair = &settings->properties[i];
        const char *reason = kafka_conf_denied(pair->name);
        if (reason)
            return bad_option(err, pair->name, "denied_option", reason);
        if (set_text(conf, pair->name, pair->value, err) < 0)
            return -1;
    }
    return 0;
}

static int set_consumer(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                        struct err *err)
{
    static const struct kafka_pair fixed[] = {
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "error"},
        {"partition.assignment.strategy", "range"},
        {"enable.partition.eof", "false"},
        {"allow.auto.create.topics", "false"},
    };
    int64_t session = or_default(settings->session_timeout_ms, KAFKA_SESSION_TIMEOUT_MS);
    if (!settings->group || !*settings->group)
        return bad_option(err, "group.id", "missing_option", "a consumer needs a group");
    if (set_pairs(conf, fixed, ARRAY_LEN(fixed), err) < 0 ||
        set_text(conf, "group.id", settings->group, err) < 0 ||
        set_number(conf, "session.timeout.ms", session, err) < 0)
        return -1;
    if (settings->slot && set_text(conf, "group.instance.id", settings->slot, err) < 0)
        return -1;
    return 0;
}

static int set_reader(rd_kafka_conf_t *conf, const struct kafka_settings *settings, struct err *err)
{
    static const struct kafka_pair fixed[] = {
        {"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"},
        {"isolation.level", "read_committed"}, {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},      {"allow.auto.create.topics", "false"},
    };
    /* librdkafka reads assigned partitions for somebody with a group only, though it never joins.
     */
    const char *group = settings->group && *settings->group ? settings->group : "promofleet-reader";
    return set_pairs(conf, fixed, ARRAY_LEN(fixed), err) < 0 ||
                   set_text(conf, "group.id", group, err) < 0
               ? -1
               : 0;
}

static int set_admin(rd_kafka_conf_t *conf, struct err *err)
{
    static const struct kafka_pair fixed[] = {
        {"isolation.level", "read_uncommitted"},
        {"allow.auto.create.topics", "false"},
    };
    return set_pairs(conf, fixed, ARRAY_LEN(fixed), err);
}

static int set_producer(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                        bool transactional, struct err *err)
{
    static const struct kafka_pair fixed[] = {
        {"acks", "all"},
        {"enable.idempotence", "true"},
        {"partitioner", "murmur2_random"}, /* as the Java client places keys */
        {"allow.auto.create.topics", "false"},
    };
    char id[512];
    int64_t timeout = or_default(settings->transaction_timeout_ms, KAFKA_TRANSACTION_TIMEOUT_MS);
    if (set_pairs(conf, fixed, ARRAY_LEN(fixed), err) < 0)
        return -1;
    if (!transactional)
        return set_number(conf, "message.timeout.ms", 30000, err);
    if (!settings->group || !*settings->group)
        return bad_option(err, "group.id", "missing_option", "transactions need a group");
    if (!settings->slot || !*settings->slot)
        return bad_option(err, "transactional.id", "missing_option", "transactions need a slot");
    int len = snprintf(id, sizeof(id), "%s-%s", settings->group, settings->slot);
    if (len < 0 || (size_t)len >= sizeof(id))
        return bad_option(err, "transactional.id", "bad_option", "group and slot are too long");
    /* message.timeout.ms and socket.timeout.ms follow from transaction.timeout.ms by themselves. */
    return set_text(conf, "transactional.id", id, err) < 0 ||
                   set_number(conf, "transaction.timeout.ms", timeout, err) < 0
               ? -1
               : 0;
}

static int set_role(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                    enum kafka_role role, struct err *err)
{
    switch (role) {
    case KAFKA_ROLE_CONSUMER:
        return set_consumer(conf, settings, err);
    case KAFKA_ROLE_READER:
        return set_reader(conf, settings, err);
    case KAFKA_ROLE_ADMIN:
        return set_admin(conf, err);
    case KAFKA_ROLE_TRANSACTIONAL:
        return set_producer(conf, settings, true, err);
    case KAFKA_ROLE_PLAIN:
        return set_producer(conf, settings, false, err);
    }
    assert(!"a role without options");
    return -1;
}

int kafka_conf_build(const struct kafka_settings *settings, enum kafka_role role,
                     rd_kafka_conf_t **ret, struct err *err)
{
    if (!settings->brokers || !*settings->brokers)
        return bad_option(err, "bootstrap.servers", "missing_option", "no broker is named");
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (set_tuning(conf, settings, role, err) < 0 || set_passed_through(conf, settings, err) < 0 ||
        set_text(conf, "bootstrap.servers", settings->brokers, err) < 0 ||
        set_text(conf, "client.id", settings->client_id ? settings->client_id : "promofleet", err) <
            0 ||
        set_number(conf, "message.max.bytes", KAFKA_MESSAGE_MAX_BYTES, err) < 0 ||
        set_role(conf, settings, role, err) < 0) {
        rd_kafka_conf_destroy(conf);
        return -1;
    }
    *ret = conf;
    return 0;
}

static void drop_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

/* Combinations, certificates and mechanisms are only looked at when a handle is made. Without a
 * broker's address it connects nowhere. */
static int try_out(const struct kafka_settings *settings, enum kafka_role role, struct err *err)
{
    char why[256];
    rd_kafka_conf_t *conf = NULL;
    if (kafka_conf_build(settings, role, &conf, err) < 0)
        return -1;
    rd_kafka_conf_set_log_cb(conf, drop_line);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", "", why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(conf);
        return bad_option(err, "bootstrap.servers", "bad_option", why);
    }
    bool reads = role == KAFKA_ROLE_CONSUMER || role == KAFKA_ROLE_READER;
    rd_kafka_t *rk =
        rd_kafka_new(reads ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        return kafka_conf_refused(err, why);
    }
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return 0;
}

/* librdkafka's sentences name the option in backquotes, or begin with it. */
int kafka_conf_refused(struct err *err, const char *why)
{
    char name[64] = "";
    const char *from = strchr(why, '`');
    size_t len = from ? strcspn(++from, "`") : strcspn(why, " :");
    if (!from && !memchr(why, '.', len))
        len = 0;
    (void)snprintf(name, sizeof(name), "%.*s", (int)len, from ? from : why);
    return bad_option(err, name, "bad_option", why);
}

int kafka_conf_check(const struct kafka_settings *settings, struct err *err)
{
    if (settings->group && try_out(settings, KAFKA_ROLE_CONSUMER, err) < 0)
        return -1;
    if (settings->slot && try_out(settings, KAFKA_ROLE_TRANSACTIONAL, err) < 0)
        return -1;
    return try_out(settings, KAFKA_ROLE_PLAIN, err) < 0 ||
                   try_out(settings, KAFKA_ROLE_READER, err) < 0
               ? -1
               : 0;
}
