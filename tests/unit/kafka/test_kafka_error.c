/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void fenced_timed_out_and_unknown_mean_start_over(void **state)
{
    const rd_kafka_resp_err_t codes[] = {
        RD_KAFKA_RESP_ERR__FATAL,
        RD_KAFKA_RESP_ERR__FENCED,
        RD_KAFKA_RESP_ERR__TIMED_OUT,
        RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
        RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED,
        RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET,
        RD_KAFKA_RESP_ERR_UNKNOWN,
        RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE,
        RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
        RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
        RD_KAFKA_RESP_ERR_INVALID_TXN_STATE,
        RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED,
        RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
        RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        assert_int_equal(kafka_error_kind(codes[i]), ERR_TRANSIENT);
    /* A code of a version to come. */
    assert_int_equal(kafka_error_kind((rd_kafka_resp_err_t)9999), ERR_TRANSIENT);
    assert_int_equal(kafka_error_kind((rd_kafka_resp_err_t)-9999), ERR_TRANSIENT);
}

static void not_allowed_and_not_there_are_fatal(void **state)
{
    const rd_kafka_resp_err_t codes[] = {
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        RD_KAFKA_RESP_ERR_INVALID_CONFIG,
        RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT,
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        assert_int_equal(kafka_error_kind(codes[i]), ERR_FATAL);
}

static void only_not_ready_yet_is_retriable(void **state)
{
    size_t retriable = 0;
    (void)state;
    for (int code = -200; code < 200; code++)
        retriable += kafka_error_kind((rd_kafka_resp_err_t)code) == ERR_RETRY;
    assert_int_equal(retriable, 9);
    assert_int_equal(kafka_error_kind(RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS), ERR_RETRY);
    assert_int_equal(kafka_error_kind(RD_KAFKA_RESP_ERR_NOT_COORDINATOR), ERR_RETRY);
    assert_int_equal(kafka_error_kind(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT), ERR_RETRY);
    assert_int_equal(kafka_error_kind(RD_KAFKA_RESP_ERR_NO_ERROR), ERR_NONE);
}

static void an_error_carries_name_context_and_sentence(void **state)
{
    struct err err = {0};
    (void)state;
    assert_int_equal(kafka_error_set(&err, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, "commit %d", 7), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.domain, "kafka");
    assert_string_equal(err.code, "PRODUCER_FENCED");
    assert_int_equal(strncmp(err.text, "commit 7: ", 10), 0);
    assert_int_equal(err.depth, 1);
    assert_non_null(strstr(err.trail[0].file, "test_kafka_error.c"));
    assert_int_equal(kafka_error_set(NULL, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, "x"), -1);
}

static void nobody_outside_is_told_to_repeat_a_call(void **state)
{
    struct err err = {0};
    (void)state;
    (void)kafka_error_set(&err, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, "x");
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "NOT_COORDINATOR");
}

static void an_error_object_is_consumed(void **state)
{
    struct err err = {0};
    rd_kafka_error_t *error =
        rd_kafka_error_new(RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "no %s", "way");
    (void)state;
    assert_false(kafka_error_is_retriable(error));
    assert_int_equal(kafka_error_take(&err, error, "init"), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "TRANSACTIONAL_ID_AUTHORIZATION_"); /* cut to fit */
    assert_string_equal(err.text, "init: no way");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fenced_timed_out_and_unknown_mean_start_over),
        cmocka_unit_test(not_allowed_and_not_there_are_fatal),
        cmocka_unit_test(only_not_ready_yet_is_retriable),
        cmocka_unit_test(an_error_carries_name_context_and_sentence),
        cmocka_unit_test(nobody_outside_is_told_to_repeat_a_call),
        cmocka_unit_test(an_error_object_is_consumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
