/* SPDX-License-Identifier: Apache-2.0 */
#include "base_signal.h"
#include "base_time.h"
#include "kafka_error.h"
#include "kafka_internal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

#define AGAIN_MS 50
/* How long one broker may think about a question before another one is asked. */
#define QUESTION_MS 3000

int64_t kafka_deadline(int64_t timeout_ms)
{
    return clock_mono(&clock_real) + timeout_ms * TIME_US_PER_MS;
}

int kafka_deadline_left_ms(int64_t deadline)
{
    int64_t left = deadline - clock_mono(&clock_real);
    if (left <= 0)
        return 0;
    /* Rounded up, so that "not over" never reads as 0. */
    left = (left + TIME_US_PER_MS - 1) / TIME_US_PER_MS;
    return left > INT_MAX ? INT_MAX : (int)left;
}

bool kafka_deadline_again(int64_t deadline)
{
    int left = kafka_deadline_left_ms(deadline);
    if (left == 0 || signal_stop_requested())
        return false;
    struct timespec pause = {.tv_nsec = (left < AGAIN_MS ? left : AGAIN_MS) * 1000000L};
    (void)nanosleep(&pause, NULL);
    return true;
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    const struct kafka_client *client = rk ? rd_kafka_opaque(rk) : NULL;
    if (client && client->log)
        client->log(client->log_opaque, level, facility, text);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kafka_client *client = opaque;
    (void)rk;
    if (kafka_error_kind((rd_kafka_resp_err_t)code) != ERR_FATAL)
        return;
    client->refused = (rd_kafka_resp_err_t)code;
    (void)snprintf(client->refused_text, sizeof(client->refused_text), "%s", reason);
}

int kafka_client_open(struct kafka_client *client, const struct kafka_settings *settings,
                      enum kafka_role role, kafka_rebalance_fn rebalance, kafka_report_fn report,
                      struct err *err)
{
    char why[256];
    rd_kafka_conf_t *conf = NULL;
    if (kafka_conf_build(settings, role, &conf, err) < 0)
        return -1;
    *client = (struct kafka_client){
        .log = settings->log,
        .log_opaque = settings->log_opaque,
        .call_timeout_ms =
            settings->call_timeout_ms > 0 ? settings->call_timeout_ms : KAFKA_CALL_TIMEOUT_MS,
    };
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    if (rebalance)
        rd_kafka_conf_set_rebalance_cb(conf, rebalance);
    if (report)
        rd_kafka_conf_set_dr_msg_cb(conf, report);
    bool writes = role == KAFKA_ROLE_TRANSACTIONAL || role == KAFKA_ROLE_PLAIN;
    client->rk =
        rd_kafka_new(writes ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!client->rk) {
        rd_kafka_conf_destroy(conf);
        return kafka_conf_refused(err, why);
    }
    return 0;
}

void kafka_client_serve(struct kafka_client *client)
{
    (void)rd_kafka_poll(client->rk, 0);
}

int kafka_client_explain(struct kafka_client *client, struct err *err)
{
    kafka_client_serve(client);
    if (client->refused)
        return kafka_error_set(err, client->refused, "%s", client->refused_text);
    return -1;
}

/* Errors of a question about a topic that the next try may answer. */
static bool ask_again(rd_kafka_resp_err_t code, int64_t deadline)
{
    switch (kafka_error_kind(code)) {
    case ERR_RETRY:
        return kafka_deadline_again(deadline);
    case ERR_TRANSIENT: /* no connection yet, a broker just went, an answer got lost */
        return code != RD_KAFKA_RESP_ERR__FATAL && kafka_deadline_again(deadline);
    case ERR_NONE:
    case ERR_DUPLICATE:
    case ERR_POISON:
    case ERR_FATAL:
    case ERR_BUG:
        break;
    }
    return false;
}

int kafka_client_topic(struct kafka_client *client, const char *topic, int64_t deadline,
                       rd_kafka_topic_t **ret, int32_t *ret_count, struct err *err)
{
    rd_kafka_resp_err_t code;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->rk, topic, NULL);
    if (!handle)
        return kafka_error_set(err, rd_kafka_last_error(), "topic %.100s", topic);
    do {
        const struct rd_kafka_metadata *metadata = NULL;
        int left = kafka_deadline_left_ms(deadline);
        code = rd_kafka_metadata(client->rk, 0, handle, &metadata, MIN_OF(left, QUESTION_MS));
        if (code)
            continue;
        code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                        : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        int32_t count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
        if (!code) {
            client->refused = RD_KAFKA_RESP_ERR_NO_ERROR;
            *ret = handle;
            *ret_count = count;
            return 1;
        }
    } while (ask_again(code, deadline));
    rd_kafka_topic_destroy(handle);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return 0;
    (void)kafka_error_set(err, code, "ask for topic %.100s", topic);
    return kafka_client_explain(client, err);
}

int kafka_client_partitions(struct kafka_client *client, const char *topic, int64_t deadline,
                            int32_t *ret_count, struct err *err)
{
    rd_kafka_topic_t *handle = NULL;
    int found = kafka_client_topic(client, topic, deadline, &handle, ret_count, err);
    if (found == 1)
        rd_kafka_topic_destroy(handle);
    return found;
}

int kafka_client_bounds(struct kafka_client *client, const char *topic, int32_t partition,
                        int64_t deadline, int64_t *ret_low, int64_t *ret_high, struct err *err)
{
    rd_kafka_resp_err_t code;
    int64_t low = -1;
    int64_t high = -1;
    do {
        int left = kafka_deadline_left_ms(deadline);
        code = rd_kafka_query_watermark_offsets(client->rk, topic, partition, &low, &high,
                                                MIN_OF(left, QUESTION_MS));
    } while (code && ask_again(code, deadline));
    if (code) {
        (void)kafka_error_set(err, code, "ask for the offsets of %.100s [%" PRId32 "]", topic,
                              partition);
        return kafka_client_explain(client, err);
    }
    client->refused = RD_KAFKA_RESP_ERR_NO_ERROR;
    *ret_low = low;
    *ret_high = high;
    return 0;
}
