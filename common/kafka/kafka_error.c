/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_error.h"

#include "base_attr.h"

#include <stdarg.h>
#include <stdio.h>

/* A switch with a default, against our habit: librdkafka's enum grows with every version, and a
 * code that we do not know is by rule "start over". */
enum err_kind kafka_error_kind(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return ERR_NONE;

    /* Not ready yet, moving, or an earlier transaction is still being finished. */
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
        return ERR_RETRY;

    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR__NOT_CONFIGURED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        return ERR_FATAL;

    default:
        return ERR_TRANSIENT;
    }
}

PRINTF_LIKE(7, 0)
static int set(struct err *err, const char *file, int line, enum err_kind kind, const char *name,
               const char *why, const char *fmt, va_list args)
{
    char text[sizeof(err->text)];
    (void)vsnprintf(text, sizeof(text), fmt, args);
    return err_set_at(err, file, line, kind, "kafka", name, "%s: %s", text, why);
}

int kafka_error_set_at(struct err *err, const char *file, int line, rd_kafka_resp_err_t code,
                       const char *fmt, ...)
{
    enum err_kind kind = kafka_error_kind(code);
    va_list args;
    va_start(args, fmt);
    int result = set(err, file, line, kind == ERR_FATAL ? ERR_FATAL : ERR_TRANSIENT,
                     rd_kafka_err2name(code), rd_kafka_err2str(code), fmt, args);
    va_end(args);
    return result;
}

int kafka_error_take_at(struct err *err, const char *file, int line, rd_kafka_error_t *error,
                        const char *fmt, ...)
{
    enum err_kind kind = kafka_error_kind(rd_kafka_error_code(error));
    va_list args;
    va_start(args, fmt);
    int result = set(err, file, line, kind == ERR_FATAL ? ERR_FATAL : ERR_TRANSIENT,
                     rd_kafka_error_name(error), rd_kafka_error_string(error), fmt, args);
    va_end(args);
    rd_kafka_error_destroy(error);
    return result;
}

bool kafka_error_is_retriable(const rd_kafka_error_t *error)
{
    return rd_kafka_error_is_retriable(error) && !rd_kafka_error_is_fatal(error) &&
           !rd_kafka_error_txn_requires_abort(error);
}
