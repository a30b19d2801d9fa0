/* SPDX-License-Identifier: Apache-2.0 */
#include "mock_cluster.h"

#include "kafka_producer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static void drop_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

void mock_open(struct mock *mock, int brokers)
{
    char why[128];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, drop_line);
    mock->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    assert_non_null(mock->rk);
    mock->cluster = rd_kafka_mock_cluster_new(mock->rk, brokers);
    assert_non_null(mock->cluster);
}

void mock_close(struct mock *mock)
{
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->rk);
}

void mock_topic(struct mock *mock, const char *topic, int partitions)
{
    assert_int_equal(rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1), 0);
}

struct kafka_settings mock_settings(const struct mock *mock, int64_t call_timeout_ms)
{
    return (struct kafka_settings){
        .brokers = rd_kafka_mock_cluster_bootstraps(mock->cluster),
        .group = "g",
        .slot = "s-0",
        .session_timeout_ms = 4000, /* more than the 3 s for which mock groups gather */
        .call_timeout_ms = call_timeout_ms,
    };
}

void mock_fill(const struct mock *mock, const char *topic, int32_t partition, int count)
{
    struct kafka_settings settings = mock_settings(mock, 5000);
    struct kafka_producer *producer = NULL;
    struct err err = {0};
    assert_int_equal(kafka_producer_open_plain(&settings, NULL, NULL, &producer, &err), 0);
    for (int i = 0; i < count; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "%d", i);
        struct record record = {
            .topic = topic, .partition = partition, .value = text, .value_len = (size_t)len};
        assert_int_equal(kafka_producer_send(producer, &record, &err), 0);
    }
    assert_int_equal(kafka_producer_flush(producer, 10000, &err), 0);
    kafka_producer_drop(producer);
}
