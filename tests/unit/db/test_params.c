/* SPDX-License-Identifier: Apache-2.0 */
#include "db_test.h"

#include "db_error.h"
#include "db_internal.h"
#include "db_value.h"

static struct db_params params;
static struct db_bound bound;

static int set_up(void **state)
{
    (void)state;
    db_params_init(&params);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_params_done(&params);
    return 0;
}

static void bind(void)
{
    struct err err = {0};
    assert_int_equal(db_params_bind(&params, NULL, &bound, &err), 0);
}

static void is(int i, uint32_t type, const void *bytes, size_t len)
{
    assert_true(i < bound.count);
    assert_int_equal(bound.type[i], type);
    assert_int_equal(bound.format[i], 1);
    assert_int_equal(bound.len[i], len);
    assert_non_null(bound.value[i]);
    assert_memory_equal(bound.value[i], bytes, len);
}

static void scalars_are_in_network_byte_order(void **state)
{
    (void)state;
    static const uint8_t uuid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

    db_param_bool(&params, true);
    db_param_int2(&params, INT16_MIN);
    db_param_int4(&params, -2);
    db_param_int8(&params, INT64_MAX);
    db_param_text(&params, "caf\xc3\xa9");
    db_param_bytea(&params, "a\0b", 3);
    db_param_uuid(&params, uuid);
    db_param_timestamptz(&params, TIME_PG_EPOCH_US + 1);
    db_param_numeric(&params, "10000");
    db_param_numeric_u128(&params, 1);
    db_param_json(&params, "{}", 2);
    db_param_jsonb(&params, "[1]", 3);
    db_param_xid8(&params, UINT64_C(1) << 40);
    bind();
    assert_int_equal(bound.count, 13);
    is(0, DB_BOOL, "\1", 1);
    is(1, DB_INT2, "\x80\0", 2);
    is(2, DB_INT4, "\xff\xff\xff\xfe", 4);
    is(3, DB_INT8, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
    is(4, DB_TEXT, "caf\xc3\xa9", 5);
    is(5, DB_BYTEA, "a\0b", 3);
    is(6, DB_UUID, uuid, 16);
    is(7, DB_TIMESTAMPTZ, "\0\0\0\0\0\0\0\1", 8);
    is(8, DB_NUMERIC, "\0\1\0\1\0\0\0\0\0\1", 10);
    is(9, DB_NUMERIC, "\0\1\0\0\0\0\0\0\0\1", 10);
    is(10, DB_JSON, "{}", 2);
    is(11, DB_JSONB, "\1[1]", 4);
    is(12, DB_XID8, "\0\0\1\0\0\0\0\0", 8);
}

static void null_is_not_empty(void **state)
{
    (void)state;
    db_param_null(&params);
    db_param_text(&params, NULL);
    db_param_text(&params, "");
    db_param_bytea(&params, NULL, 0);
    db_param_bytea(&params, "", 0);
    db_param_uuid(&params, NULL);
    bind();
    assert_null(bound.value[0]);
    assert_int_equal(bound.type[0], DB_ANY);
    assert_null(bound.value[1]);
    assert_int_equal(bound.type[1], DB_TEXT);
    is(2, DB_TEXT, "", 0);
    assert_null(bound.value[3]);
    is(4, DB_BYTEA, "", 0);
    assert_null(bound.value[5]);
}

static void arrays_carry_header_and_elements(void **state)
{
    (void)state;
    static const uint8_t ints[] = {
        0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 3,    0,    0,    0,    1,
        0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 4,  0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff,
    };
    static const uint8_t texts[] = {
        0, 0, 0, 1, 0, 0, 0, 0, 0, 0,   0,   25, 0, 0, 0,
        2, 0, 0, 0, 1, 0, 0, 0, 2, 'a', 'b', 0,  0, 0, 0,
    };
    static const uint8_t empty[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20};

    db_array_begin(&params, DB_INT4);
    db_array_int4(&params, 7);
    db_array_int4(&params, 255);
    db_array_null(&params);
    db_array_end(&params);
    db_array_begin(&params, DB_TEXT);
    db_array_text(&params, "ab");
    db_array_text_n(&params, "xyz", 0);
    db_array_end(&params);
    db_array_begin(&params, DB_INT8);
    db_array_end(&params);
    db_param_int4(&params, 1);
    bind();
    assert_int_equal(bound.count, 4);
    is(0, DB_INT4_ARRAY, ints, sizeof(ints));
    is(1, DB_TEXT_ARRAY, texts, sizeof(texts));
    is(2, DB_INT8_ARRAY, empty, sizeof(empty));
    is(3, DB_INT4, "\0\0\0\1", 4);
}

/* Each element type goes into its own array type, and its bytes are those of the scalar. */
static void every_type_has_its_array(void **state)
{
    (void)state;
    static const uint8_t uuid[16] = {0xab};

    db_array_begin(&params, DB_BOOL);
    db_array_bool(&params, true);
    db_array_end(&params);
    db_array_begin(&params, DB_INT2);
    db_array_int2(&params, 5);
    db_array_end(&params);
    db_array_begin(&params, DB_INT8);
    db_array_int8(&params, 5);
    db_array_end(&params);
    db_array_begin(&params, DB_BYTEA);
    db_array_bytea(&params, "x", 1);
    db_array_end(&params);
    db_array_begin(&params, DB_UUID);
    db_array_uuid(&params, uuid);
    db_array_end(&params);
    db_array_begin(&params, DB_TIMESTAMPTZ);
    db_array_timestamptz(&params, TIME_PG_EPOCH_US);
    db_array_end(&params);
    db_array_begin(&params, DB_NUMERIC);
    db_array_numeric(&params, "10000");
    db_array_numeric_u128(&params, 1);
    db_array_end(&params);
    db_array_begin(&params, DB_JSON);
    db_array_json(&params, "{}", 2);
    db_array_end(&params);
    db_array_begin(&params, DB_JSONB);
    db_array_jsonb(&params, "{}", 2);
    db_array_end(&params);
    db_array_begin(&params, DB_XID8);
    db_array_xid8(&params, 9);
    db_array_end(&params);
    bind();
    static const struct {
        uint32_t type;
        uint32_t element;
        int len;
    } expected[] = {
        {DB_BOOL_ARRAY, DB_BOOL, 25},       {DB_INT2_ARRAY, DB_INT2, 26},
        {DB_INT8_ARRAY, DB_INT8, 32},       {DB_BYTEA_ARRAY, DB_BYTEA, 25},
        {DB_UUID_ARRAY, DB_UUID, 40},       {DB_TIMESTAMPTZ_ARRAY, DB_TIMESTAMPTZ, 32},
        {DB_NUMERIC_ARRAY, DB_NUMERIC, 48}, {DB_JSON_ARRAY, DB_JSON, 26},
        {DB_JSONB_ARRAY, DB_JSONB, 27},     {DB_XID8_ARRAY, DB_XID8, 32},
    };
    assert_int_equal(bound.count, ARRAY_LEN(expected));
    for (int i = 0; i < bound.count; i++) {
        assert_int_equal(bound.type[i], expected[i].type);
        assert_int_equal(db_load32((const uint8_t *)bound.value[i] + 8), expected[i].element);
        assert_int_equal(bound.len[i], expected[i].len);
    }
}

static void a_large_array_keeps_every_element(void **state)
{
    (void)state;
    enum { COUNT = 100000 };

    db_array_begin(&params, DB_INT8);
    for (int64_t i = 0; i < COUNT; i++)
        db_array_int8(&params, i * i);
    db_array_end(&params);
    bind();
    assert_int_equal(bound.len[0], 20 + 12 * COUNT);
    const uint8_t *at = (const uint8_t *)bound.value[0];
    assert_int_equal(db_load32(at + 12), COUNT);
    for (int64_t i = 0; i < COUNT; i++) {
        assert_int_equal(db_load32(at + 20 + 12 * i), 8);
        assert_int_equal(db_load64(at + 20 + 12 * i + 4), i * i);
    }
}

static void reset_keeps_the_memory_and_nothing_else(void **state)
{
    (void)state;
    db_array_begin(&params, DB_TEXT);
    for (int i = 0; i < 1000; i++)
        db_array_text(&params, "some text or other");
    db_array_end(&params);
    const char *data = params.bytes.data;

    db_params_reset(&params);
    assert_int_equal(params.count, 0);
    db_param_int4(&params, 3);
    bind();
    assert_int_equal(bound.count, 1);
    assert_ptr_equal(params.bytes.data, data);

    /* A fault and an array left open end with the reset as well. */
    db_param_numeric(&params, "x");
    db_array_begin(&params, DB_TEXT);
    db_params_reset(&params);
    db_param_int4(&params, 3);
    bind();
    is(0, DB_INT4, "\0\0\0\3", 4);
}

static void fails(enum err_kind kind, const char *code)
{
    struct err err = {0};

    assert_int_equal(db_params_bind(&params, NULL, &bound, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_string_equal(err.code, code);
    db_params_reset(&params);
}

static void mistakes_come_out_when_the_statement_runs(void **state)
{
    (void)state;
    db_param_numeric(&params, "12x");
    db_param_int4(&params, 1);
    fails(ERR_POISON, "bad_numeric");

    db_array_begin(&params, DB_INT4);
    fails(ERR_BUG, "params");

    db_array_begin(&params, DB_INT4);
    db_param_int4(&params, 1);
    db_array_end(&params);
    fails(ERR_BUG, "params");

    db_array_begin(&params, DB_INT4);
    db_array_int8(&params, 1);
    db_array_end(&params);
    fails(ERR_BUG, "params");

    db_array_int4(&params, 1);
    fails(ERR_BUG, "params");

    db_array_end(&params);
    fails(ERR_BUG, "params");

    db_array_begin(&params, DB_INT4_ARRAY);
    fails(ERR_BUG, "params");

    db_array_begin(&params, DB_ANY);
    fails(ERR_BUG, "params");
}

static void there_may_be_so_many_parameters_and_no_more(void **state)
{
    (void)state;
    for (int i = 0; i < DB_PARAMS_MAX; i++)
        db_param_int4(&params, i);
    bind();
    assert_int_equal(bound.count, DB_PARAMS_MAX);
    db_param_int4(&params, 0);
    fails(ERR_BUG, "params");
}

static void parameters_must_be_as_the_statement_declares_them(void **state)
{
    (void)state;
    static const uint32_t types[] = {DB_INT4, DB_TEXT};
    const struct db_stmt stmt = {
        .name = "s", .text = "select $1, $2", .param_count = 2, .param_types = types};
    struct err err = {0};

    db_param_int4(&params, 1);
    db_param_text(&params, "x");
    assert_int_equal(db_params_bind(&params, &stmt, &bound, &err), 0);

    db_params_reset(&params);
    db_param_null(&params);
    db_param_null(&params);
    assert_int_equal(db_params_bind(&params, &stmt, &bound, &err), 0);

    db_params_reset(&params);
    db_param_int8(&params, 1);
    db_param_text(&params, "x");
    assert_int_equal(db_params_bind(&params, &stmt, &bound, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
    assert_non_null(strstr(err.text, "$1"));

    db_params_reset(&params);
    db_param_int4(&params, 1);
    assert_int_equal(db_params_bind(&params, &stmt, &bound, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
    assert_int_equal(db_params_bind(NULL, &stmt, &bound, &err), -1);
    assert_int_equal(db_params_bind(NULL, NULL, &bound, &err), 0);
    assert_int_equal(bound.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scalars_are_in_network_byte_order),
        TEST(null_is_not_empty),
        TEST(arrays_carry_header_and_elements),
        TEST(every_type_has_its_array),
        TEST(a_large_array_keeps_every_element),
        TEST(reset_keeps_the_memory_and_nothing_else),
        TEST(mistakes_come_out_when_the_statement_runs),
        TEST(there_may_be_so_many_parameters_and_no_more),
        TEST(parameters_must_be_as_the_statement_declares_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
