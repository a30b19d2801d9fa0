/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonio.h"
#include "msg_envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct msg_envelope envelope;
static struct json_object *data;
static struct err err;
static struct record_header headers[16];
static struct record record;

static int begin(void **state)
{
    (void)state;
    arena = arena_new(0, 0);
    return arena == NULL;
}

static int end(void **state)
{
    (void)state;
    jsonio_free(data);
    data = NULL;
    arena_free(arena);
    return 0;
}

static void header(const char *name, const char *value)
{
    headers[record.header_count++] =
        (struct record_header){name, value, value == NULL ? 0 : strlen(value)};
}

static void value(const char *text)
{
    record.value = text;
    record.value_len = strlen(text);
}

/* A right message in binary mode, to be spoilt. */
static void binary(void)
{
    memset(&record, 0, sizeof(record));
    record.headers = headers;
    header("ce_specversion", "1.0");
    header("ce_id", "id-1");
    header("ce_source", "shop");
    header("ce_type", "some.type");
    value("{\"a\":1}");
}

static void structured(const char *text)
{
    memset(&record, 0, sizeof(record));
    record.headers = headers;
    header("content-type", "application/cloudevents+json");
    value(text);
}

static int get(void)
{
    jsonio_free(data);
    data = NULL;
    memset(&err, 0, sizeof(err));
    return msg_envelope_read(arena, &record, &envelope, &data, &err);
}

static void readable(void)
{
    if (get() != 1)
        fail_msg("%s: %s", err.code, err.text);
}

static void refused(const char *code, const char *pointer)
{
    assert_int_equal(get(), 0);
    assert_int_equal(err.kind, ERR_POISON);
    assert_string_equal(err.domain, "msg");
    assert_string_equal(err.code, code);
    assert_string_equal(err.pointer, pointer);
    assert_string_equal(envelope.id, "id-1");
    assert_string_equal(envelope.source, "shop");
}

static void unreadable(const char *code)
{
    assert_int_equal(get(), -1);
    assert_int_equal(err.kind, ERR_POISON);
    assert_string_equal(err.domain, "msg");
    assert_string_equal(err.code, code);
    assert_null(data);
}

static void binary_mode_reads_the_headers(void **state)
{
    (void)state;
    binary();
    header("ce_time", "2026-11-20T19:06:00Z");
    header("ce_subject", "s\xc3\xa9");
    header("ce_dataschema", "urn:x");
    header("ce_actor", "anna");
    header("ce_whatever", "\xff\x00 not even text");
    header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    header("Content-Type", "application/json; charset=\"UTF-8\"");
    readable();
    assert_string_equal(envelope.id, "id-1");
    assert_string_equal(envelope.source, "shop");
    assert_string_equal(envelope.type, "some.type");
    assert_true(envelope.time_us == INT64_C(1795201560000000));
    assert_string_equal(envelope.subject, "s\xc3\xa9");
    assert_string_equal(envelope.data_schema, "urn:x");
    assert_string_equal(envelope.actor, "anna");
    assert_non_null(envelope.traceparent);
    assert_false(envelope.structured);
    assert_int_equal(jsonio_length(data), 1);
}

static void optional_attributes_may_be_absent(void **state)
{
    (void)state;
    binary();
    readable();
    assert_true(envelope.time_us == -1);
    assert_null(envelope.subject);
    assert_null(envelope.data_schema);
    assert_null(envelope.actor);
    assert_null(envelope.traceparent);
}

static void nothing_points_into_the_record(void **state)
{
    (void)state;
    char id[] = "id-1";
    char text[] = "{\"a\":\"b\"}";
    struct json_object *node;
    binary();
    headers[1].value = id;
    value(text);
    readable();
    memset(id, 'x', sizeof(id) - 1);
    memset(text, 'x', sizeof(text) - 1);
    assert_string_equal(envelope.id, "id-1");
    assert_true(jsonio_member(data, "a", &node));
    assert_string_equal(jsonio_text(node, NULL), "b");
}

static void each_required_header_must_be_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const char *name;
        binary();
        name = headers[i].name;
        headers[i].name = "ce_other";
        unreadable("bad_envelope");
        assert_non_null(strstr(err.text, name + 3));
        headers[i].name = name;
        headers[i].len = 0;
        unreadable("bad_envelope");
        headers[i].value = NULL;
        unreadable("bad_envelope");
        binary();
        header(name, headers[i].value);
        unreadable("bad_envelope");
    }
}

static void attributes_are_bounded(void **state)
{
    (void)state;
    char text[1100];
    memset(text, 'x', sizeof(text));
    static const struct {
        size_t header;
        size_t max;
    } bounds[] = {{1, 128}, {2, 256}, {3, 256}};
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        binary();
        headers[bounds[i].header].value = text;
        headers[bounds[i].header].len = bounds[i].max;
        readable();
        headers[bounds[i].header].len = bounds[i].max + 1;
        unreadable("bad_envelope");
    }
    binary();
    header("ce_subject", "");
    refused("bad_envelope", "");
    headers[4].value = text;
    headers[4].len = 1024;
    readable();
    headers[4].len = 1025;
    refused("bad_envelope", "");
}

static void attributes_are_clean_text(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a\nb",     "\x7f", "\x1f",     "a\xff",       "\xc3",
                                        "\xc2\x80", "\t",   "\xc2\x9f", "\xed\xa0\x80"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        for (size_t at = 1; at < 4; at++) {
            binary();
            headers[at].value = wrong[i];
            headers[at].len = strlen(wrong[i]);
            unreadable("bad_envelope");
        }
    }
    binary();
    headers[1].value = "a\0b";
    headers[1].len = 3;
    unreadable("bad_envelope");
    headers[1].value = "\xc2\xa0\xf0\x9f\x98\x80 \xc3\xa9";
    headers[1].len = 9;
    readable();
}

static void other_versions_are_unreadable(void **state)
{
    (void)state;
    static const char *const versions[] = {"0.3", "1", "1.1", "1.0 ", "2.0"};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        binary();
        headers[0].value = versions[i];
        headers[0].len = strlen(versions[i]);
        unreadable("bad_envelope");
    }
}

static void bad_time_is_refused(void **state)
{
    (void)state;
    binary();
    header("ce_time", "yesterday");
    refused("bad_envelope", "");
}

static void malformed_traceparent_is_dropped(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "x",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        binary();
        header("traceparent", wrong[i]);
        readable();
        assert_null(envelope.traceparent);
    }
}

static void data_must_be_declared_json(void **state)
{
    (void)state;
    static const char *const right[] = {
        "application/json",
        "APPLICATION/JSON",
        "application/json;charset=utf-8",
        "application/json ; charset=us-ascii; x=y",
        "application/vnd.shop+json",
        "text/json",
    };
    static const char *const wrong[] = {
        "text/plain", "application/xml", "application/json; charset=iso-8859-1", "",
        "json",       "+json",
    };
    for (size_t i = 0; i < ARRAY_LEN(right); i++) {
        binary();
        header("content-type", right[i]);
        readable();
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        binary();
        header("content-type", wrong[i]);
        refused("bad_content_type", "");
    }
}

static void other_forms_of_events_are_unreadable(void **state)
{
    (void)state;
    static const char *const types[] = {
        "application/cloudevents-batch+json",
        "application/cloudevents+avro",
        "application/cloudevents",
        "application/cloudevents+json; charset=utf-16",
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        binary();
        header("content-type", types[i]);
        unreadable("bad_content_type");
    }
    binary();
    header("content-type", "application/json");
    header("content-type", "application/json");
    unreadable("bad_content_type");
}

static void bad_data_is_refused_with_a_pointer(void **state)
{
    (void)state;
    binary();
    value("{\"a\":[1,{\"b\":1,\"b\":2}]}");
    refused("duplicate_key", "/a/1/b");
    value("{\"a\":\"\xff\"}");
    refused("bad_utf8", "/a");
    value("{\"a\":1e17}");
    refused("number_out_of_range", "/a");
    value("{");
    refused("bad_json", "");
    value("");
    refused("required", "");
    record.value = NULL;
    refused("required", "");
    value("null");
    readable();
    assert_null(data);
}

static void too_large_is_found_before_parsing(void **state)
{
    (void)state;
    char *text = malloc(MSG_SIZE_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', MSG_SIZE_MAX + 1);
    text[0] = '1';
    binary();
    record.value = text;
    record.value_len = MSG_SIZE_MAX;
    readable();
    record.value_len = MSG_SIZE_MAX + 1;
    refused("too_large", "");
    structured("");
    record.value = text;
    record.value_len = MSG_SIZE_MAX + 1;
    unreadable("too_large");
    free(text);
}

#define WITH(more)                                                                                 \
    "{\"specversion\":\"1.0\",\"id\":\"id-1\",\"source\":\"shop\",\"type\":\"t\"" more "}"

static void structured_mode_reads_the_members(void **state)
{
    (void)state;
    struct json_object *node;
    structured(WITH(",\"time\":\"1970-01-01T00:00:01Z\",\"actor\":\"a\",\"ext\":[1],"
                    "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\","
                    "\"datacontenttype\":\"application/json\",\"data\":{\"k\":\"v\"}"));
    headers[0].value = "application/cloudevents+json; charset=UTF-8";
    headers[0].len = strlen(headers[0].value);
    readable();
    assert_true(envelope.structured);
    assert_string_equal(envelope.id, "id-1");
    assert_string_equal(envelope.type, "t");
    assert_string_equal(envelope.actor, "a");
    assert_true(envelope.time_us == 1000000);
    assert_non_null(envelope.traceparent);
    assert_true(jsonio_member(data, "k", &node));
    assert_string_equal(jsonio_text(node, NULL), "v");
}

static void structured_mode_without_identity_is_unreadable(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "[]",
        "{}",
        "null",
        "7",
        "{\"specversion\":\"1.0\"}",
        "{\"specversion\":\"1.0\",\"id\":7,\"source\":\"s\",\"type\":\"t\",\"data\":{}}",
        "{\"specversion\":1.0,\"id\":\"7\",\"source\":\"s\",\"type\":\"t\",\"data\":{}}",
        "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"s\",\"type\":\"t\",\"data\":{}}",
        "{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"a\\u0001\",\"type\":\"t\",\"data\":{}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        structured(wrong[i]);
        unreadable("bad_envelope");
    }
    structured(WITH(",\"data\":{\"a\":1,\"a\":2}"));
    unreadable("duplicate_key");
    assert_string_equal(err.pointer, "/data/a");
    structured("{");
    unreadable("bad_json");
    record.value = NULL;
    unreadable("bad_envelope");
}

static void structured_mode_needs_json_data(void **state)
{
    (void)state;
    structured(WITH(""));
    refused("required", "");
    structured(WITH(",\"data_base64\":\"e30=\""));
    refused("bad_content_type", "");
    structured(WITH(",\"data\":{},\"datacontenttype\":\"text/xml\""));
    refused("bad_content_type", "");
    structured(WITH(",\"data\":{},\"datacontenttype\":7"));
    refused("bad_envelope", "");
    structured(WITH(",\"data\":{},\"subject\":null"));
    refused("bad_envelope", "");
    structured(WITH(",\"data\":null"));
    readable();
    assert_null(data);
}

static void short_memory_is_no_fault_of_the_message(void **state)
{
    (void)state;
    struct arena *small = arena_new(0, 1);
    assert_non_null(small);
    binary();
    assert_int_equal(msg_envelope_read(small, &record, &envelope, &data, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(binary_mode_reads_the_headers, begin, end),
        cmocka_unit_test_setup_teardown(optional_attributes_may_be_absent, begin, end),
        cmocka_unit_test_setup_teardown(nothing_points_into_the_record, begin, end),
        cmocka_unit_test_setup_teardown(each_required_header_must_be_there, begin, end),
        cmocka_unit_test_setup_teardown(attributes_are_bounded, begin, end),
        cmocka_unit_test_setup_teardown(attributes_are_clean_text, begin, end),
        cmocka_unit_test_setup_teardown(other_versions_are_unreadable, begin, end),
        cmocka_unit_test_setup_teardown(bad_time_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(malformed_traceparent_is_dropped, begin, end),
        cmocka_unit_test_setup_teardown(data_must_be_declared_json, begin, end),
        cmocka_unit_test_setup_teardown(other_forms_of_events_are_unreadable, begin, end),
        cmocka_unit_test_setup_teardown(bad_data_is_refused_with_a_pointer, begin, end),
        cmocka_unit_test_setup_teardown(too_large_is_found_before_parsing, begin, end),
        cmocka_unit_test_setup_teardown(structured_mode_reads_the_members, begin, end),
        cmocka_unit_test_setup_teardown(structured_mode_without_identity_is_unreadable, begin, end),
        cmocka_unit_test_setup_teardown(structured_mode_needs_json_data, begin, end),
        cmocka_unit_test_setup_teardown(short_memory_is_no_fault_of_the_message, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
