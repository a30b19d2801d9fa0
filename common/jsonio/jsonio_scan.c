/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the bytes before json-c sees them. json-c, also in its strict mode, takes NaN,
 * duplicate keys and \u0000, and clamps large integers; here the whole grammar of RFC 8259 is
 * checked, so that what json-c gets reads the same everywhere.
 */
#include "base_digest.h"
#include "jsonio_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Objects of up to so many members compare their keys pair by pair, larger ones sort hashes. */
#define PAIRWISE_MAX 16
#define NO_VALUE "neither an object, an array, a text, a number, true, false nor null"

struct key {
    const char *text; /* between the quotes, as written */
    size_t len;
    bool escaped;
    uint64_t hash;
};

/* Where we are in an open object or array, for the pointer. */
struct level {
    bool is_object;
    size_t key_at; /* in scan->keys, of the member being read; valid when has_key */
    bool has_key;
    size_t index;
};

struct scan {
    const char *at;
    const char *end;
    struct level levels[JSONIO_DEPTH_MAX];
    unsigned depth;
    struct key *keys; /* of all open objects, outer ones first */
    size_t key_count;
    size_t key_room;
    struct key own_keys[64];
    struct err *err;
};

static int value(struct scan *scan);

/* Unescape what scan_string() has accepted; out has room for len bytes (it never grows). */
static size_t unescape(const char *text, size_t len, char *out)
{
    size_t n = 0;
    for (const char *at = text, *end = text + len; at < end;) {
        if (*at != '\\') {
            out[n++] = *at++;
            continue;
        }
        static const char names[] = "\"\\/bfnrt";
        static const char values[] = "\"\\/\b\f\n\r\t";
        const char *found = at[1] == 'u' ? NULL : strchr(names, at[1]);
        if (found != NULL) {
            out[n++] = values[found - names];
            at += 2;
            continue;
        }
        char digits[5] = {at[2], at[3], at[4], at[5], '\0'};
        uint32_t point = (uint32_t)strtoul(digits, NULL, 16);
        at += 6;
        if (point >= 0xd800 && point <= 0xdbff) {
            memcpy(digits, at + 2, 4);
            uint32_t low = (uint32_t)strtoul(digits, NULL, 16);
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
        n += jsonio_utf8_put(point, out + n);
    }
    return n;
}

static void push_key(struct jsonio_path *path, const struct key *key)
{
    /* what is longer than a path does not fit anyway; 6 bytes of text may stand for one */
    char name[6 * sizeof(path->text) + 1];
    size_t len = MIN_OF(key->len, sizeof(name) - 1);
    if (key->len > len) {
        memset(name, 'x', sizeof(name) - 1);
    } else if (key->escaped) {
        len = unescape(key->text, key->len, name);
    } else {
        memcpy(name, key->text, len);
    }
    name[len] = '\0';
    (void)jsonio_path_key(path, name);
}

/* extra: a key of the innermost object that the pointer ends with, or NULL. */
static int fail_at(struct scan *scan, const struct key *extra, const char *code, const char *text)
{
    struct jsonio_path path;
    jsonio_path_init(&path, "");
    for (unsigned i = 0; i < scan->depth; i++) {
        const struct level *level = &scan->levels[i];
        if (extra != NULL && i + 1 == scan->depth)
            push_key(&path, extra);
        else if (!level->is_object)
            (void)jsonio_path_index(&path, level->index);
        else if (level->has_key)
            push_key(&path, &scan->keys[level->key_at]);
    }
    (void)err_field(scan->err, path.text, code, "%s", text);
    if (scan->err != NULL)
        scan->err->domain = "json";
    return -1;
}

static int fail(struct scan *scan, const char *code, const char *text)
{
    return fail_at(scan, NULL, code, text);
}

static int fail_grammar(struct scan *scan, const char *wanted)
{
    return fail(scan, "bad_json", scan->at == scan->end ? "the JSON text ends too early" : wanted);
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

static bool next_is(const struct scan *scan, char c)
{
    return scan->at < scan->end && *scan->at == c;
}

static int hex4(struct scan *scan, uint32_t *ret_unit)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        if (scan->at == scan->end)
            return fail_grammar(scan, "");
        char c = *scan->at;
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A') + 10;
        else
            return fail(scan, "bad_json", "\\u is not followed by four hexadecimal digits");
        unit = unit << 4 | digit;
    }
    *ret_unit = unit;
    return 0;
}

/* Behind the backslash. */
static int escape(struct scan *scan)
{
    if (scan->at == scan->end)
        return fail_grammar(scan, "");
    char c = *scan->at++;
    if (c != 'u') {
        if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
            return fail(scan, "bad_json", "a backslash is followed by no known escape");
        return 0;
    }
    uint32_t unit;
    if (hex4(scan, &unit) < 0)
        return -1;
    if (unit == 0)
        return fail(scan, "nul_character", "a text holds the character U+0000");
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return fail(scan, "lone_surrogate", "a text holds half of a surrogate pair");
    if (unit < 0xd800 || unit > 0xdbff)
        return 0;
    if (scan->end - scan->at < 2 || scan->at[0] != '\\' || scan->at[1] != 'u')
        return fail(scan, "lone_surrogate", "a text holds half of a surrogate pair");
    scan->at += 2;
    if (hex4(scan, &unit) < 0)
        return -1;
    if (unit < 0xdc00 || unit > 0xdfff)
        return fail(scan, "lone_surrogate", "a text holds half of a surrogate pair");
    return 0;
}

/* From the opening quote to behind the closing one. */
static int string(struct scan *scan, struct key *ret_key)
{
    const char *from = ++scan->at;
    bool escaped = false;
    for (;;) {
        if (scan->at == scan->end)
            return fail_grammar(scan, "");
        unsigned char c = (unsigned char)*scan->at;
        if (c == '"')
            break;
        if (c == '\\') {
            escaped = true;
            scan->at++;
            if (escape(scan) < 0)
                return -1;
        } else if (c < 0x20) {
            return fail(scan, "bad_json", "a text holds a control character that is not escaped");
        } else if (c < 0x80) {
            scan->at++;
        } else {
            size_t step =
                jsonio_utf8_step((const unsigned char *)scan->at, (size_t)(scan->end - scan->at));
            if (step == 0)
                return fail(scan, "bad_utf8", "a text is not valid UTF-8");
            scan->at += step;
        }
    }
    if (ret_key != NULL)
        *ret_key = (struct key){.text = from, .len = (size_t)(scan->at - from), .escaped = escaped};
    scan->at++;
    return 0;
}

static size_t digits(struct scan *scan)
{
    const char *from = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return (size_t)(scan->at - from);
}

static int number(struct scan *scan)
{
    const char *from = scan->at;
    bool whole = true;
    if (*scan->at == '-')
        scan->at++;
    bool zero = next_is(scan, '0');
    size_t count = digits(scan);
    if (count == 0)
        return fail_grammar(scan, "a number has no digits");
    if (zero && count > 1)
        return fail(scan, "bad_json", "a number begins with a zero");
    if (next_is(scan, '.')) {
        whole = false;
        scan->at++;
        if (digits(scan) == 0)
            return fail_grammar(scan, "a number has no digits behind the point");
    }
    if (next_is(scan, 'e') || next_is(scan, 'E')) {
        whole = false;
        scan->at++;
        if (next_is(scan, '+') || next_is(scan, '-'))
            scan->at++;
        if (digits(scan) == 0)
            return fail_grammar(scan, "a number has no digits in its exponent");
    }
    if (whole && count <= 15)
        return 0;
    char text[JSONIO_NUMBER_MAX + 1];
    size_t len = (size_t)(scan->at - from);
    if (len <= JSONIO_NUMBER_MAX) {
        memcpy(text, from, len);
        text[len] = '\0';
        /* Up to 2^53 a double is exact, and rounding keeps the order: this decides rightly for
         * whole numbers too. */
        if (fabs(strtod(text, NULL)) <= (double)JSONIO_INT_MAX)
            return 0;
    }
    return fail(scan, "number_out_of_range", "a number lies beyond 2^53 - 1, or is too long");
}

static int literal(struct scan *scan, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
        return fail(scan, "bad_json", NO_VALUE);
    scan->at += len;
    return 0;
}

static int open_level(struct scan *scan, bool is_object)
{
    if (scan->depth == JSONIO_DEPTH_MAX)
        return fail(scan, "too_deep", "objects and arrays are nested too deeply");
    scan->levels[scan->depth++] = (struct level){.is_object = is_object};
    scan->at++;
    return 0;
}

static int add_key(struct scan *scan, const struct key *key)
{
    if (scan->key_count == scan->key_room) {
        size_t room = scan->key_room * 2;
        struct key *old = scan->keys == scan->own_keys ? NULL : scan->keys;
        struct key *keys = reallocarray(old, room, sizeof(*keys));
        if (keys == NULL)
            return err_nomem(scan->err);
        if (old == NULL)
            memcpy(keys, scan->own_keys, sizeof(scan->own_keys));
        scan->keys = keys;
        scan->key_room = room;
    }
    scan->keys[scan->key_count++] = *key;
    return 0;
}

/* 1 equal, 0 not, -1 out of memory */
static int keys_equal(const struct key *a, const struct key *b, struct err *err)
{
    if (!a->escaped && !b->escaped)
        return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
    char *texts = malloc(a->len + b->len + 1);
    if (texts == NULL)
        return err_nomem(err);
    size_t len = unescape(a->text, a->len, texts);
    bool equal =
        unescape(b->text, b->len, texts + len) == len && memcmp(texts, texts + len, len) == 0;
    free(texts);
    return equal;
}

static int hash_key(struct key *key, struct err *err)
{
    /* Collisions cost time only, so the hash key need not be secret; finding many takes years. */
    static const uint8_t hash_key_bytes[16] = "promofleet keys";
    if (!key->escaped) {
        key->hash = digest_siphash(hash_key_bytes, key->text, key->len);
        return 0;
    }
    char *text = malloc(key->len + 1);
    if (text == NULL)
        return err_nomem(err);
    key->hash = digest_siphash(hash_key_bytes, text, unescape(key->text, key->len, text));
    free(text);
    return 0;
}

/* By hash, then in the order of the text, so that the later one of two is reported. */
static int compare_hashes(const void *a, const void *b)
{
    const struct key *one = a;
    const struct key *two = b;
    if (one->hash != two->hash)
        return one->hash < two->hash ? -1 : 1;
    return one->text < two->text ? -1 : one->text > two->text;
}

static int check_distinct(struct scan *scan, size_t first)
{
    struct key *keys = scan->keys + first;
    size_t count = scan->key_count - first;
    bool sorted = count > PAIRWISE_MAX;
    if (sorted) {
        for (size_t i = 0; i < count; i++) {
            if (hash_key(&keys[i], scan->err) < 0)
                return -1;
        }
        qsort(keys, count, sizeof(*keys), compare_hashes);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count && (!sorted || keys[j].hash == keys[i].hash); j++) {
            int equal = keys_equal(&keys[i], &keys[j], scan->err);
            if (equal < 0)
                return -1;
            if (equal > 0)
                return fail_at(scan, &keys[j], "duplicate_key", "an object has the same key twice");
        }
    }
    return 0;
}

static int object(struct scan *scan)
{
    size_t first = scan->key_count;
    if (open_level(scan, true) < 0)
        return -1;
    struct level *level = &scan->levels[scan->depth - 1];
    skip_space(scan);
    if (!next_is(scan, '}')) {
        for (;;) {
            struct key key;
            skip_space(scan);
            level->has_key = false;
            if (!next_is(scan, '"'))
                return fail_grammar(scan, "an object has something that is no key");
            if (string(scan, &key) < 0 || add_key(scan, &key) < 0)
                return -1;
            level->key_at = scan->key_count - 1;
            level->has_key = true;
            skip_space(scan);
            if (!next_is(scan, ':'))
                return fail_grammar(scan, "a key is not followed by a colon");
            scan->at++;
            if (value(scan) < 0)
                return -1;
            skip_space(scan);
            if (!next_is(scan, ','))
                break;
            scan->at++;
        }
        level->has_key = false;
        if (!next_is(scan, '}'))
            return fail_grammar(scan, "the members of an object are not separated by a comma");
    }
    scan->at++;
    if (check_distinct(scan, first) < 0)
        return -1;
    scan->key_count = first;
    scan->depth--;
    return 0;
}

static int array(struct scan *scan)
{
    if (open_level(scan, false) < 0)
        return -1;
    struct level *level = &scan->levels[scan->depth - 1];
    skip_space(scan);
    if (!next_is(scan, ']')) {
        for (;;) {
            if (value(scan) < 0)
                return -1;
            skip_space(scan);
            if (!next_is(scan, ','))
                break;
            scan->at++;
            level->index++;
        }
        if (!next_is(scan, ']'))
            return fail_grammar(scan, "the items of an array are not separated by a comma");
    }
    scan->at++;
    scan->depth--;
    return 0;
}

static int value(struct scan *scan)
{
    skip_space(scan);
    if (scan->at == scan->end)
        return fail_grammar(scan, "");
    switch (*scan->at) {
    case '{':
        return object(scan);
    case '[':
        return array(scan);
    case '"':
        return string(scan, NULL);
    case 't':
        return literal(scan, "true");
    case 'f':
        return literal(scan, "false");
    case 'n':
        return literal(scan, "null");
    case '-':
    case '0' ... '9':
        return number(scan);
    default:
        return fail(scan, "bad_json", NO_VALUE);
    }
}

int jsonio_scan(const char *text, size_t len, struct jsonio_span *ret_span, struct err *err)
{
    struct scan scan;
    scan.at = text;
    scan.end = text + len;
    scan.depth = 0;
    scan.keys = scan.own_keys;
    scan.key_count = 0;
    scan.key_room = ARRAY_LEN(scan.own_keys);
    scan.err = err;
    skip_space(&scan);
    struct jsonio_span span = {.from = (size_t)(scan.at - text)};
    int result = value(&scan);
    span.to = (size_t)(scan.at - text);
    if (result == 0) {
        skip_space(&scan);
        if (scan.at != scan.end)
            result = fail(&scan, "bad_json", "something stands behind the JSON value");
    }
    if (scan.keys != scan.own_keys)
        free(scan.keys);
    if (result == 0)
        *ret_span = span;
    return result;
}
