/* SPDX-License-Identifier: Apache-2.0 */
#include "db_test.h"

#include "db_conn.h"
#include "db_error.h"

static void shows(const char *url, const char *expected)
{
    char out[320];
    assert_string_equal(db_url_redact(url, out, sizeof(out)), expected);
}

static void a_shown_url_has_no_password(void **state)
{
    (void)state;
    shows("postgresql://me:secret@db.example:5433/shop", "postgresql://me@db.example:5433/shop");
    shows("postgres://me:secret@db.example/shop?sslmode=require&password=other",
          "postgresql://me@db.example/shop");
    shows("host=db.example user=me password='se cret' dbname=shop",
          "postgresql://me@db.example/shop");
    shows("postgresql://me:p%40ss%2Fword@h/shop", "postgresql://me@h/shop");
    shows("postgresql:///shop", "postgresql:///shop");
    shows("postgresql://me:secret@a:1,b:2/shop", "postgresql://me@a:1,b:2/shop");
    shows("postgresql://me:secret@a,b/shop", "postgresql://me@a:5432,b:5432/shop");
    shows("postgresql://%2Ftmp%2Fsocket/shop", "postgresql:///tmp/socket/shop");
}

/* A password with a bare @ or / spills into other parts: none of it may be shown. */
static void a_doubtful_url_is_not_shown_at_all(void **state)
{
    (void)state;
    shows("postgresql://me:se@cret@h/shop", "(unreadable URL)");
    shows("postgresql://me:12/cret@h/shop", "(unreadable URL)");
    shows("postgresql://me:se/cret@h/shop", "(unreadable URL)");
    shows("postgresql://me:secret@h:port/shop", "(unreadable URL)");
    shows("postgresql://me:secret%@h/shop", "(unreadable URL)");
    shows("just text", "(unreadable URL)");
    shows("shop", "(unreadable URL)");
    shows("", "(unreadable URL)");
    shows(NULL, "(unreadable URL)");
    shows("host=h pass word=secret", "(unreadable URL)");
}

static void a_shown_url_is_cut_to_the_room_there_is(void **state)
{
    (void)state;
    char out[16];
    assert_string_equal(db_url_redact("postgresql://me:secret@h/shop", out, sizeof(out)),
                        "postgresql://me");
}

static void refuses(const char *url)
{
    struct db_settings settings = {.url = url, .connect_timeout_ms = 100};
    struct db_conn *conn = NULL;
    struct err err = {0};

    assert_int_equal(db_conn_open(&settings, &conn, &err), -1);
    assert_null(conn);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.domain, DB_DOMAIN);
    assert_string_equal(err.code, "bad_url");
    assert_null(strstr(err.text, "secret"));
}

static void opening_refuses_a_url_that_cannot_work(void **state)
{
    (void)state;
    refuses(NULL);
    refuses("");
    refuses("shop");
    refuses("postgresql://me:a@secret@h/shop");
    refuses("postgresql://me:secret@h/shop?no_such_option=1");
    refuses("postgresql://me:secret@a:1,b:2,:3/shop");
    refuses("host=a,b port=1,2,3 password=secret");
    refuses("host=a,b hostaddr=127.0.0.1 password=secret");
    refuses("host=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q password=secret");
}

static void a_closed_port_is_transient(void **state)
{
    (void)state;
    /* Port 1 (tcpmux) is closed wherever this runs. */
    struct db_settings settings = {.url = "postgresql://me:secret@127.0.0.1:1/shop"};
    struct db_conn *conn = NULL;
    struct err err = {0};

    assert_int_equal(db_conn_open(&settings, &conn, &err), -1);
    assert_null(conn);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "connect");
    assert_null(strstr(err.text, "secret"));
    assert_non_null(strstr(err.text, "refused"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shown_url_has_no_password),
        cmocka_unit_test(a_doubtful_url_is_not_shown_at_all),
        cmocka_unit_test(a_shown_url_is_cut_to_the_room_there_is),
        cmocka_unit_test(opening_refuses_a_url_that_cannot_work),
        cmocka_unit_test(a_closed_port_is_transient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
