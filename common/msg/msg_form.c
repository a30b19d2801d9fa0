/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of texts: the check in C, and the same as a JSON Schema.
 *
 * Patterns keep to what all dialects of regular expressions share: no look-around, no classes by
 * name. Some engines let $ match in front of a closing line feed, hence "not" beside "pattern".
 */
#include "base_digest.h"
#include "base_time.h"
#include "msg_table.h"

#include <string.h>

#define NO_LINE_FEED "\"not\":{\"pattern\":\"\\n\"}"

/* Days that exist, in the years 1970 to 9999. */
#define YEAR "(19[7-9][0-9]|[2-9][0-9]{3})"
#define LEAP_YEAR                                                                                  \
    "(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|"                           \
    "([2468][048]|[3579][26])00)"
#define DAY                                                                                        \
    "(" YEAR "-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"      \
    "02-(0[1-9]|1[0-9]|2[0-8]))|" LEAP_YEAR "-02-29)"
#define TIME_OF_DAY "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\\\.[0-9]{1,6})?"
#define OFFSET "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
/* An offset would carry some of these beyond the years that we accept. */
#define EDGE_DAY_OFFSET                                                                            \
    "^(1970-01-01|9999-12-31)[Tt].*[+-](0[1-9]|1[0-9]|2[0-3]|00:0[1-9]|00:[1-5])"

static const struct form {
    const char *name;
    const char *schema;
    const char *fault;
} forms[MSG_FORM_COUNT] = {
    [MSG_FORM_ANY] = {NULL, NULL, NULL},
    [MSG_FORM_LINE] = {NULL, "\"not\":{\"pattern\":\"[\\u0001-\\u001F\\u007F]\"}",
                       "no control characters"},
    [MSG_FORM_ID] = {"id",
                     "\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
                     "\"pattern\":\"^[A-Za-z0-9._:-]+$\"," NO_LINE_FEED,
                     "letters, digits and . _ : - only"},
    [MSG_FORM_CURRENCY] = {"currency",
                           "\"description\":\"ISO 4217\",\"type\":\"string\",\"minLength\":3,"
                           "\"maxLength\":3,\"pattern\":\"^[A-Z]{3}$\"",
                           "three capital letters"},
    [MSG_FORM_UUID] = {"uuid",
                       "\"type\":\"string\",\"format\":\"uuid\",\"minLength\":36,\"maxLength\":36,"
                       "\"pattern\":\"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$\"",
                       "a UUID"},
    [MSG_FORM_TIME] = {"time",
                       "\"description\":\"RFC 3339, any offset, at most 6 digits of fraction, "
                       "years 1970 to 9999 in UTC; on the first and the last of these days in UTC "
                       "only. No leap seconds.\",\"type\":\"string\",\"format\":\"date-time\","
                       "\"maxLength\":32,\"pattern\":\"^" DAY "[Tt]" TIME_OF_DAY OFFSET "$\","
                       "\"not\":{\"pattern\":\"\\n|" EDGE_DAY_OFFSET "\"}",
                       "a time of RFC 3339 such as 2026-11-20T19:06:00Z"},
    [MSG_FORM_DECIMAL] = {NULL, "\"pattern\":\"^[0-9]+$\"," NO_LINE_FEED, "decimal digits"},
    [MSG_FORM_NAME] = {NULL, "\"pattern\":\"^[a-z][a-z0-9_]*$\"," NO_LINE_FEED, "snake_case"},
};

const char *msg_form_name(enum msg_form form)
{
    return forms[form].name;
}

const char *msg_form_schema(enum msg_form form)
{
    return forms[form].schema;
}

static bool all_of(const char *text, size_t len, const char *more, bool upper, bool lower)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool fits = (c >= '0' && c <= '9') || (upper && c >= 'A' && c <= 'Z') ||
                    (lower && c >= 'a' && c <= 'z') || (c != '\0' && strchr(more, c) != NULL);
        if (!fits)
            return false;
    }
    return true;
}

static bool is_line(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return true;
}

static bool is_currency(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 'A' || text[i] > 'Z')
            return false;
    }
    return len == 3;
}

static bool is_time(const char *text)
{
    int64_t us;
    if (time_parse(text, &us, NULL) < 0)
        return false;
    /* the schema has no arithmetic: see EDGE_DAY_OFFSET */
    if (strncmp(text, "1970-01-01", 10) == 0 || strncmp(text, "9999-12-31", 10) == 0) {
        const char *offset = strpbrk(text + 10, "+-");
        return offset == NULL || strcmp(offset + 1, "00:00") == 0;
    }
    /* an offset can carry the last hours of 1969 into 1970; the year as written decides */
    return strncmp(text, "1969", 4) != 0;
}

static bool is_form(enum msg_form form, const char *text, size_t len)
{
    uint8_t uuid[DIGEST_UUID_LEN];
    switch (form) {
    case MSG_FORM_ANY:
        return true;
    case MSG_FORM_LINE:
        return is_line(text, len);
    case MSG_FORM_ID:
        return len > 0 && all_of(text, len, "._:-", true, true);
    case MSG_FORM_CURRENCY:
        return is_currency(text, len);
    case MSG_FORM_UUID:
        return digest_uuid_parse(text, uuid) == 0;
    case MSG_FORM_TIME:
        return is_time(text);
    case MSG_FORM_DECIMAL:
        return len > 0 && all_of(text, len, "", false, false);
    case MSG_FORM_NAME:
        return len > 0 && text[0] >= 'a' && text[0] <= 'z' && all_of(text, len, "_", false, true);
    }
    return false;
}

const char *msg_form_fault(enum msg_form form, const char *text, size_t len)
{
    return is_form(form, text, len) ? NULL : forms[form].fault;
}
