/* SPDX-License-Identifier: Apache-2.0
 *
 * librdkafka's errors as ours. The only place that knows what a Kafka code means.
 *
 * err.domain is "kafka", err.code librdkafka's name of the code ("_TIMED_OUT", "PRODUCER_FENCED").
 */
#ifndef KAFKA_ERROR_H
#define KAFKA_ERROR_H

#include "base_err.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/*
 * ERR_RETRY: the same call again, a little later, is right, and nothing happened yet.
 * ERR_FATAL: not allowed in, not authorized, no such topic, an option that cannot work.
 * ERR_TRANSIENT: everything else, unknown codes included: drop the clients and start over.
 */
enum err_kind kafka_error_kind(rd_kafka_resp_err_t code);

/* Fill *err from a code; returns -1. A kind ERR_RETRY is told as ERR_TRANSIENT: who could repeat
 * the call has done so before giving up. */
#define kafka_error_set(err, code, ...)                                                            \
    kafka_error_set_at((err), __FILE__, __LINE__, (code), __VA_ARGS__)
int kafka_error_set_at(struct err *err, const char *file, int line, rd_kafka_resp_err_t code,
                       const char *fmt, ...) PRINTF_LIKE(5, 6);
/*
 * The same from an error object, which is consumed; returns -1. A fatal or abort-required error is
 * never ERR_RETRY. Afterwards `error` is gone.
 */
#define kafka_error_take(err, error, ...)                                                          \
    kafka_error_take_at((err), __FILE__, __LINE__, (error), __VA_ARGS__)
int kafka_error_take_at(struct err *err, const char *file, int line, rd_kafka_error_t *error,
                        const char *fmt, ...) PRINTF_LIKE(5, 6);
/* May the call that returned this error be repeated as it is? */
bool kafka_error_is_retriable(const rd_kafka_error_t *error);

#endif
