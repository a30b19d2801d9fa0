/* SPDX-License-Identifier: Apache-2.0
 *
 * A cluster inside the test process: librdkafka's mock brokers. It knows groups and producer ids,
 * not what a transaction makes visible; that is for the integration tests. Any failure here ends
 * the test.
 */
#ifndef MOCK_CLUSTER_H
#define MOCK_CLUSTER_H

#include "kafka_conf.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/* Numbers of the requests to inject errors into (Kafka protocol). */
enum mock_api {
    MOCK_PRODUCE = 0,
    MOCK_LIST_OFFSETS = 2,
    MOCK_METADATA = 3,
    MOCK_OFFSET_FETCH = 9,
    MOCK_FIND_COORDINATOR = 10,
    MOCK_HEARTBEAT = 12,
    MOCK_INIT_PRODUCER_ID = 22,
    MOCK_ADD_PARTITIONS = 24,
    MOCK_ADD_OFFSETS = 25,
    MOCK_END_TXN = 26,
    MOCK_TXN_OFFSET_COMMIT = 28,
};

struct mock {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
};

void mock_open(struct mock *mock, int brokers);
void mock_close(struct mock *mock);
void mock_topic(struct mock *mock, const char *topic, int partitions);
/* Settings of slot "s-0" in group "g", with a short call time-out. */
struct kafka_settings mock_settings(const struct mock *mock, int64_t call_timeout_ms);
/* Write `count` records "0", "1", ... to one partition. */
void mock_fill(const struct mock *mock, const char *topic, int32_t partition, int count);

#endif
