/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct settings settings;
static char path[64];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/conf_secret_XXXXXX");
    int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : -1;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *bytes, size_t len, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* Load with the file given by a flag. */
static int load_file(struct conf *conf, struct err *err)
{
    char flag[100];
    (void)snprintf(flag, sizeof(flag), "--fleet-secret-file=%s", path);
    return load(WORDS("--kafka-brokers=b:1", flag), ENV(), &settings, conf, err);
}

static void assert_file_refused(const char *code, const char *text_part)
{
    struct conf conf;
    struct err err = {.kind = ERR_NONE};
    assert_int_equal(load_file(&conf, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, code);
    assert_string_equal(err.pointer, "fleet.secret");
    if (strstr(err.text, text_part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text_part, err.text);
}

static void secret_is_read_from_a_file_without_its_last_newline(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *value;
    } files[] = {{"s3cret", "s3cret"},
                 {"s3cret\n", "s3cret"},
                 {"s3cret\r\n", "s3cret"},
                 {"s3cret\n\n", "s3cret\n"},
                 {" s3 cret ", " s3 cret "}};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        write_file(files[i].bytes, strlen(files[i].bytes), 0600);
        CLEANUP(conf_done) struct conf conf = {.state = NULL};
        assert_int_equal(load_file(&conf, NULL), 0);
        assert_string_equal(settings.secret, files[i].value);
        assert_string_equal(conf_source(&conf, "fleet.secret"), "flag --fleet-secret-file (file)");
    }
}

static void environment_names_the_file_too(void **state)
{
    (void)state;
    write_file("s3cret", 6, 0640);
    char variable[100];
    (void)snprintf(variable, sizeof(variable), "PROMO_FLEET_SECRET_FILE=%s", path);
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS(), ENV("KAFKA_BROKERS=b:1", variable), &settings, &conf, NULL), 0);
    assert_string_equal(settings.secret, "s3cret");
    assert_string_equal(conf_source(&conf, "fleet.secret"),
                        "environment PROMO_FLEET_SECRET_FILE (file)");
}

static void file_and_value_together_are_refused(void **state)
{
    (void)state;
    write_file("s3cret", 6, 0600);
    char flag[100];
    (void)snprintf(flag, sizeof(flag), "--fleet-secret-file=%s", path);
    struct conf conf;
    struct err err;
    assert_int_equal(load(WORDS("--kafka-brokers=b:1", flag), ENV("PROMO_FLEET_SECRET=other"),
                          &settings, &conf, &err),
                     -1);
    assert_string_equal(err.code, "conflict");
    assert_null(strstr(err.text, "other"));
    assert_null(strstr(err.text, "s3cret"));
}

static void files_open_to_everybody_are_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0604, 0644, 0602, 0666};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        write_file("s3cret", 6, modes[i]);
        assert_file_refused("unreadable", "everybody can read or write");
    }
}

static void unusable_files_are_refused(void **state)
{
    (void)state;
    write_file("", 0, 0600);
    assert_file_refused("unreadable", "is empty");
    write_file("\n", 1, 0600);
    assert_file_refused("unreadable", "is empty");
    write_file("ab\0cd", 5, 0600);
    assert_file_refused("unreadable", "NUL");
    write_file("abc", 3, 0600);
    assert_file_refused("out_of_range", "too short");
    assert_int_equal(unlink(path), 0);
    assert_file_refused("unreadable", "No such file");
    write_file("again", 5, 0600);
}

static void largest_file_is_read_and_one_byte_more_refused(void **state)
{
    (void)state;
    size_t most = (size_t)64 * 1024;
    char *bytes = malloc(most + 1);
    assert_non_null(bytes);
    memset(bytes, 'x', most + 1);
    write_file(bytes, most, 0600);
    assert_file_refused("out_of_range", "too long"); /* read whole, but the row allows 64 bytes */
    write_file(bytes, most + 1, 0600);
    assert_file_refused("unreadable", "larger than 64 KiB");
    free(bytes);
}

static void errors_never_show_the_secret(void **state)
{
    (void)state;
    struct conf conf;
    struct err err;
    assert_int_equal(
        load(WORDS("--kafka-brokers=b:1", "--fleet-secret=abc"), ENV(), &settings, &conf, &err),
        -1);
    assert_string_equal(err.text, "fleet.secret (flag --fleet-secret): the value is too short; "
                                  "allowed: 4 to 64 bytes");
}

static void passed_secrets_come_from_files_too(void **state)
{
    (void)state;
    write_file("p4ss\n", 5, 0600);
    char flag[100];
    (void)snprintf(flag, sizeof(flag), "--kafka.sasl.password.file=%s", path);
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS("--kafka-brokers=b:1", flag, "--kafka.ssl.ca.file=/x"), ENV(),
                          &settings, &conf, NULL),
                     0);
    assert_int_equal(conf.pair_count, 2);
    assert_string_equal(conf.pairs[0].name, "sasl.password");
    assert_string_equal(conf.pairs[0].value, "p4ss");
    assert_string_equal(conf.pairs[1].name, "ssl.ca.file");
    assert_string_equal(conf.pairs[1].value, "/x");

    struct conf other;
    struct err err;
    assert_int_equal(load(WORDS("--kafka-brokers=b:1", flag, "--kafka.sasl.password=x"), ENV(),
                          &settings, &other, &err),
                     -1);
    assert_string_equal(err.code, "conflict");
    assert_string_equal(err.pointer, "kafka.sasl.password");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(secret_is_read_from_a_file_without_its_last_newline),
        TEST(environment_names_the_file_too),
        TEST(file_and_value_together_are_refused),
        TEST(files_open_to_everybody_are_refused),
        TEST(unusable_files_are_refused),
        TEST(largest_file_is_read_and_one_byte_more_refused),
        TEST(errors_never_show_the_secret),
        TEST(passed_secrets_come_from_files_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
