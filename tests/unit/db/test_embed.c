/* SPDX-License-Identifier: Apache-2.0 */
#include "db_test.h"

#include "db_migrate.h"
#include "sample_sql.h"

static void types_come_from_the_first_line(void **state)
{
    (void)state;
    static const uint32_t expected[] = {
        DB_BOOL,        DB_INT2,    DB_INT4, DB_INT8,  DB_TEXT, DB_BYTEA,      DB_UUID,
        DB_TIMESTAMPTZ, DB_NUMERIC, DB_JSON, DB_JSONB, DB_XID8, DB_INT4_ARRAY, DB_TEXT_ARRAY,
    };
    const struct db_stmt *stmt = &sample_sql_all_types;

    assert_string_equal(stmt->name, "sample_sql_all_types");
    assert_int_equal(stmt->param_count, 14);
    for (size_t i = 0; i < 14; i++)
        assert_int_equal(stmt->param_types[i], expected[i]);
}

static void a_statement_without_parameters_declares_none(void **state)
{
    (void)state;
    assert_int_equal(sample_sql_no_parameters.param_count, 0);
    assert_non_null(sample_sql_no_parameters.param_types);
    assert_string_equal(sample_sql_no_parameters.text, "select 1\n");
}

static void every_character_of_a_file_arrives(void **state)
{
    (void)state;
    assert_string_equal(sample_sql_odd_text.text, "-- a comment; with [brackets] and \"quotes\"\n"
                                                  "select 'back\\slash; ${not} @a@ variable',\n"
                                                  "\t'\xc3\xa9'::text[]");
}

static void migrations_are_numbered_from_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < db_migration_count; i++) {
        assert_int_equal(db_migrations[i].version, i + 1);
        assert_true(strlen(db_migrations[i].name) > 0);
        assert_true(strlen(db_migrations[i].text) > 0);
    }
    /* The element behind the last one. */
    assert_null(db_migrations[db_migration_count].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_come_from_the_first_line),
        cmocka_unit_test(a_statement_without_parameters_declares_none),
        cmocka_unit_test(every_character_of_a_file_arrives),
        cmocka_unit_test(migrations_are_numbered_from_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
