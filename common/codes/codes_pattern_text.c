/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns as text: a format written as a pattern, and the canonical text that names a space.
 */
#include "base_buf.h"
#include "base_digest.h"
#include "codes_internal.h"

/* Characters that mean something in a pattern, or in a set. */
static const char pattern_special[] = "\\#[]{}";
static const char set_special[] = "\\]-";

static void add_point(struct buf *text, uint32_t point, const char *special)
{
    char bytes[4];
    size_t len = codes_point_write(point, bytes);

    if (point != 0 && point < 128 && strchr(special, (int)point) != NULL)
        buf_add_char(text, '\\');
    buf_add(text, bytes, len);
}

/* "[0-9a-f]": canonical symbols in order, three neighbours or more as a range. */
static void add_set(struct buf *text, const struct codes_set *set)
{
    buf_add_char(text, '[');
    for (unsigned i = 0; i < set->count;) {
        unsigned end = i + 1;
        while (end < set->count && set->symbols[end].point == set->symbols[end - 1].point + 1)
            end++;
        if (end - i < 3)
            end = i + 1;
        add_point(text, set->symbols[i].point, set_special);
        if (end - i >= 3) {
            buf_add_char(text, '-');
            add_point(text, set->symbols[end - 1].point, set_special);
        }
        i = end;
    }
    buf_add_char(text, ']');
}

static bool same_symbols(const struct codes_set *a, const struct codes_set *b)
{
    if (a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (a->symbols[i].point != b->symbols[i].point)
            return false;
    return true;
}

static bool same_place(const struct codes_step *a, const struct codes_step *b)
{
    return a->kind == CODES_STEP_PLACE && b->kind == CODES_STEP_PLACE &&
           same_symbols(&a->set->set, &b->set->set);
}

char *codes_pattern_make_fingerprint(const struct codes_pattern *pattern)
{
    CLEANUP(buf_done) struct buf text;
    uint8_t digest[DIGEST_SHA256_LEN];
    char hex[2 * DIGEST_SHA256_LEN + 1];

    buf_init(&text);
    for (unsigned i = 0; i < pattern->step_count;) {
        const struct codes_step *step = &pattern->steps[i];
        unsigned end = i + 1;
        switch (step->kind) {
        case CODES_STEP_LITERAL:
            add_point(&text, step->point, pattern_special);
            break;
        case CODES_STEP_PLACE:
            while (end < pattern->step_count && same_place(step, &pattern->steps[end]))
                end++;
            add_set(&text, &step->set->set);
            if (end - i > 1)
                buf_printf(&text, "{%u}", end - i);
            break;
        case CODES_STEP_CHECK:
            buf_add_str(&text, "{check}");
            break;
        }
        i = end;
    }
    if (text.len > CODES_FINGERPRINT_TEXT && !buf_failed(&text)) {
        digest_sha256(text.data, text.len, digest);
        buf_clear(&text);
        buf_printf(&text, "sha256:%s", digest_hex(digest, sizeof digest, hex));
    }
    return buf_detach(&text, NULL);
}

/* Literal text: escape what would mean something. */
static void add_literal(struct buf *text, const char *literal)
{
    for (; literal != NULL && *literal != '\0'; literal++) {
        if (strchr(pattern_special, *literal) != NULL)
            buf_add_char(text, '\\');
        buf_add_char(text, *literal);
    }
}

/* The place of a format: "#", or the set in brackets, named sets written out as shown. */
static int add_format_place(struct buf *text, const char *charset, struct err *err)
{
    struct codes_set set;

    if (charset == NULL || strcmp(charset, "crockford") == 0) {
        buf_add_char(text, '#');
        return 0;
    }
    if (codes_set_parse(charset, strlen(charset), &set, err) < 0)
        return -1;
    buf_add_char(text, '[');
    for (unsigned i = 0; i < set.count; i++) {
        if (set.symbols[i].show_len == 1 && strchr(set_special, set.symbols[i].show[0]) != NULL)
            buf_add_char(text, '\\');
        buf_add(text, set.symbols[i].show, set.symbols[i].show_len);
    }
    buf_add_char(text, ']');
    return 0;
}

int codes_pattern_from_format(const struct codes_format *format, struct codes_pattern **ret_pattern,
                              struct err *err)
{
    CLEANUP(buf_done) struct buf place;
    CLEANUP(buf_done) struct buf text;
    unsigned length = format->length == 0 ? 12 : format->length;
    unsigned in_group = 0;

    buf_init(&place);
    buf_init(&text);
    if (length > CODES_PLACES_MAX || format->dash_every > CODES_PLACES_MAX)
        return err_set(err, ERR_POISON, "codes", "pattern_too_long",
                       "length and dash_every are at most %d", CODES_PLACES_MAX);
    if (add_format_place(&place, format->charset, err) < 0)
        return -1;
    add_literal(&text, format->prefix);
    for (unsigned i = 0; i < length + (format->check ? 1 : 0); i++) {
        if (format->dash_every > 0 && in_group == format->dash_every) {
            buf_add_char(&text, '-');
            in_group = 0;
        }
        if (i < length)
            buf_add(&text, place.data, place.len);
        else
            buf_add_str(&text, "{check}");
        in_group++;
    }
    add_literal(&text, format->suffix);
    if (buf_failed(&place) || buf_failed(&text))
        return err_nomem(err);
    return codes_pattern_parse(text.data, text.len, false, ret_pattern, err);
}
