/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_pattern.h"

#include "base_buf.h"
#include "codes_internal.h"

#include <assert.h>

/* The pattern text while it is read. */
struct reader {
    const char *text;
    size_t len;
    size_t at;
    size_t place_end;         /* just behind the last place, {n} included */
    unsigned place_end_piece; /* pieces up to there                       */
    bool has_place;
    bool has_check;
};

static int fail_syntax(const struct reader *reader, const char *what, struct err *err)
{
    return err_set(err, ERR_POISON, "codes", "pattern_syntax", "pattern, byte %zu: %s", reader->at,
                   what);
}

static int fail_too_long(const char *what, unsigned most, struct err *err)
{
    return err_set(err, ERR_POISON, "codes", "pattern_too_long", "a pattern has at most %u %s",
                   most, what);
}

static int add_piece(struct codes_pattern *pattern, const struct codes_piece *piece,
                     struct err *err)
{
    if (pattern->piece_count == CODES_PATTERN_BYTES)
        return fail_too_long("bytes in a displayed code", CODES_PATTERN_BYTES, err);
    pattern->pieces[pattern->piece_count++] = *piece;
    return 0;
}

/* The set as the pattern holds it: one copy of each. Takes the content of *set. */
static int intern_set(struct codes_pattern *pattern, const struct codes_set *set,
                      const struct codes_place_set **ret_set, struct err *err)
{
    for (unsigned i = 0; i < pattern->set_count; i++) {
        const struct codes_set *known = &pattern->sets[i]->set;
        if (known->count == set->count &&
            memcmp(known->symbols, set->symbols, set->count * sizeof set->symbols[0]) == 0) {
            *ret_set = pattern->sets[i];
            return 0;
        }
    }
    if (pattern->set_count == ARRAY_LEN(pattern->sets))
        return fail_too_long("different character sets", ARRAY_LEN(pattern->sets), err);
    struct codes_place_set *place_set = calloc(1, sizeof *place_set);
    if (place_set == NULL)
        return err_nomem(err);
    place_set->set = *set;
    place_set->reciprocal = UINT64_MAX / set->count + 1;
    for (unsigned i = 0; i < set->count; i++) {
        place_set->key_max = MAX_OF(place_set->key_max, set->symbols[i].key_len);
        place_set->show_max = MAX_OF(place_set->show_max, set->symbols[i].show_len);
    }
    pattern->sets[pattern->set_count++] = place_set;
    *ret_set = place_set;
    return 0;
}

/* "{n}" behind a place: how often it stands there. Leaves "{check}" alone. */
static int read_repeat(struct reader *reader, unsigned *ret_times, struct err *err)
{
    unsigned times = 0;
    size_t at = reader->at;

    *ret_times = 1;
    if (at + 1 >= reader->len || reader->text[at] != '{' || reader->text[at + 1] < '0' ||
        reader->text[at + 1] > '9')
        return 0;
    for (at++; at < reader->len && reader->text[at] >= '0' && reader->text[at] <= '9'; at++) {
        times = times * 10 + (unsigned)(reader->text[at] - '0');
        if (times > CODES_PLACES_MAX)
            return fail_too_long("places", CODES_PLACES_MAX, err);
    }
    if (at == reader->len || reader->text[at] != '}')
        return fail_syntax(reader, "{n} is not closed", err);
    if (times == 0)
        return fail_syntax(reader, "a place cannot stand 0 times", err);
    reader->at = at + 1;
    *ret_times = times;
    return 0;
}

static int add_place(struct codes_pattern *pattern, struct reader *reader,
                     const struct codes_set *set, struct err *err)
{
    struct codes_piece piece = {.kind = CODES_PIECE_PLACE};
    unsigned times;

    if (reader->has_check)
        return fail_syntax(reader, "a place stands behind {check}", err);
    if (read_repeat(reader, &times, err) < 0)
        return -1;
    if (set->count == 1) {
        piece.kind = CODES_PIECE_TEXT;
        piece.len = set->symbols[0].show_len;
        memcpy(piece.text, set->symbols[0].show, piece.len);
    } else {
        if (intern_set(pattern, set, &piece.set, err) < 0)
            return -1;
        reader->has_place = true;
    }
    for (; times > 0; times--)
        if (add_piece(pattern, &piece, err) < 0)
            return -1;
    reader->place_end = reader->at;
    reader->place_end_piece = pattern->piece_count;
    return 0;
}

/* "[...]", reader->at on the bracket. */
static int read_explicit_place(struct codes_pattern *pattern, struct reader *reader,
                               struct err *err)
{
    struct codes_set set;
    size_t end = reader->at + 1;

    while (end < reader->len && reader->text[end] != ']')
        end += reader->text[end] == '\\' ? 2 : 1;
    if (end >= reader->len)
        return fail_syntax(reader, "[ is not closed", err);
    if (codes_set_parse_explicit(reader->text + reader->at + 1, end - reader->at - 1, &set, err) <
        0)
        return err_wrap(err, "pattern, byte %zu", reader->at);
    reader->at = end + 1;
    return add_place(pattern, reader, &set, err);
}

static int read_crockford_place(struct codes_pattern *pattern, struct reader *reader,
                                struct err *err)
{
    static const char name[] = "crockford";
    struct codes_set set;

    if (codes_set_parse(name, sizeof name - 1, &set, err) < 0)
        return -1;
    reader->at++;
    return add_place(pattern, reader, &set, err);
}

static int read_check(struct codes_pattern *pattern, struct reader *reader, struct err *err)
{
    static const char token[] = "{check}";
    const struct codes_piece piece = {.kind = CODES_PIECE_CHECK};

    if (reader->len - reader->at < sizeof token - 1 ||
        memcmp(reader->text + reader->at, token, sizeof token - 1) != 0)
        return fail_syntax(reader, "{ begins neither {n} behind a place nor {check}", err);
    if (reader->has_check)
        return fail_syntax(reader, "a second {check}", err);
    reader->at += sizeof token - 1;
    reader->has_check = true;
    return add_piece(pattern, &piece, err);
}

static int read_literal(struct codes_pattern *pattern, struct reader *reader, struct err *err)
{
    struct codes_piece piece = {.kind = CODES_PIECE_TEXT};
    size_t at = reader->at;
    uint32_t point;

    if (reader->text[at] == ']' || reader->text[at] == '}')
        return fail_syntax(reader, "a closing bracket without an opening one", err);
    if (reader->text[at] == '\\' && ++at == reader->len)
        return fail_syntax(reader, "a backslash that escapes nothing", err);
    size_t used = codes_point_read(reader->text + at, reader->len - at, &point);
    if (used == 0)
        return err_set(err, ERR_POISON, "codes", "bad_utf8", "a pattern must be valid UTF-8");
    memcpy(piece.text, reader->text + at, used);
    piece.len = (uint8_t)used;
    reader->at = at + used;
    return add_piece(pattern, &piece, err);
}

static int read_pieces(struct codes_pattern *pattern, struct reader *reader, struct err *err)
{
    while (reader->at < reader->len) {
        int failed;
        switch (reader->text[reader->at]) {
        case '#':
            failed = read_crockford_place(pattern, reader, err);
            break;
        case '[':
            failed = read_explicit_place(pattern, reader, err);
            break;
        case '{':
            failed = read_check(pattern, reader, err);
            break;
        default:
            failed = read_literal(pattern, reader, err);
            break;
        }
        if (failed < 0)
            return -1;
    }
    return 0;
}

/* Put {check} behind the last place, into the pieces and into the text. */
static int insert_check(struct codes_pattern *pattern, const struct reader *reader, struct err *err)
{
    const struct codes_piece piece = {.kind = CODES_PIECE_CHECK};
    unsigned at = reader->place_end_piece;

    if (add_piece(pattern, &piece, err) < 0)
        return -1;
    memmove(&pattern->pieces[at + 1], &pattern->pieces[at],
            (pattern->piece_count - 1 - at) * sizeof pattern->pieces[0]);
    pattern->pieces[at] = piece;
    return 0;
}

static int add_step(struct codes_pattern *pattern, enum codes_step_kind kind, uint32_t point,
                    const struct codes_place_set *set, struct err *err)
{
    if (pattern->step_count == CODES_KEY_CHARS)
        return fail_too_long("characters in a key", CODES_KEY_CHARS, err);
    pattern->steps[pattern->step_count++] =
        (struct codes_step){.kind = kind, .point = point, .set = set};
    return 0;
}

/*
 * A run of literal characters between places is folded as a whole, as it will be when somebody
 * types it. Its canonical form may not begin with a character that would melt into the symbol
 * before it; no symbol of a set does (codes_set refuses those), so keys are canonical.
 */
static int add_literals(struct codes_pattern *pattern, const char *run, size_t len, struct err *err)
{
    uint32_t points[CODES_KEY_CHARS];
    size_t count;

    if (codes_fold_points(run, len, points, &count, err) < 0)
        return err_wrap(err, "a literal of the pattern");
    if (count > 0 && codes_point_combines(points[0]))
        return err_set(err, ERR_POISON, "codes", "literal_combines",
                       "literal U+%04X of the pattern would combine with the character before it",
                       (unsigned)points[0]);
    for (size_t i = 0; i < count; i++)
        if (add_step(pattern, CODES_STEP_LITERAL, points[i], NULL, err) < 0)
            return -1;
    return 0;
}

static int compile_steps(struct codes_pattern *pattern, struct err *err)
{
    char run[CODES_PATTERN_BYTES * 4];
    size_t run_len = 0;

    for (unsigned i = 0; i < pattern->piece_count; i++) {
        const struct codes_piece *piece = &pattern->pieces[i];
        if (piece->kind == CODES_PIECE_TEXT) {
            memcpy(run + run_len, piece->text, piece->len);
            run_len += piece->len;
            continue;
        }
        if (add_literals(pattern, run, run_len, err) < 0)
            return -1;
        run_len = 0;
        bool place = piece->kind == CODES_PIECE_PLACE;
        if (add_step(pattern, place ? CODES_STEP_PLACE : CODES_STEP_CHECK, 0, piece->set, err) < 0)
            return -1;
        if (place)
            pattern->places[pattern->place_count++] = piece->set;
    }
    return add_literals(pattern, run, run_len, err);
}

/* The union of all sets, the values of their symbols in it, and the quasigroup of its size. */
static int compile_check(struct codes_pattern *pattern, struct err *err)
{
    for (unsigned i = 0; i < pattern->set_count; i++)
        for (unsigned j = 0; j < pattern->sets[i]->set.count; j++)
            if (codes_set_add(&pattern->alphabet, &pattern->sets[i]->set.symbols[j], err) < 0)
                return -1;
    codes_set_seal(&pattern->alphabet);
    if (codes_check_init(&pattern->check, pattern->alphabet.count, err) < 0)
        return -1;
    for (unsigned i = 0; i < pattern->set_count; i++) {
        struct codes_place_set *place_set = pattern->sets[i];
        for (unsigned j = 0; j < place_set->set.count; j++)
            place_set->value[j] =
                (uint8_t)codes_set_index(&pattern->alphabet, place_set->set.symbols[j].point);
    }
    return 0;
}

static void compile_rank(struct codes_pattern *pattern)
{
    const uint64_t part_max = UINT64_C(1) << 56;

    pattern->space = 1;
    while (pattern->ranked < pattern->place_count) {
        unsigned count = pattern->places[pattern->ranked]->set.count;
        if (pattern->space > CODES_SPACE_MAX / count)
            break;
        pattern->space *= count;
        pattern->ranked++;
    }
    /* The lower part is above 2^48 unless it is all there is, so the upper one is at most 2^48. */
    pattern->low_size = 1;
    pattern->split = pattern->ranked;
    while (pattern->split > 0 &&
           pattern->low_size <= part_max / pattern->places[pattern->split - 1]->set.count)
        pattern->low_size *= pattern->places[--pattern->split]->set.count;
}

/* Longest key and display form, and whether the two are the same for every code. */
static int compile_bounds(struct codes_pattern *pattern, struct err *err)
{
    unsigned check_key = 0;
    unsigned check_show = 0;
    char bytes[4];

    for (unsigned i = 0; i < pattern->alphabet.count; i++) {
        check_key = MAX_OF(check_key, pattern->alphabet.symbols[i].key_len);
        check_show = MAX_OF(check_show, pattern->alphabet.symbols[i].show_len);
    }
    for (unsigned i = 0; i < pattern->step_count; i++) {
        const struct codes_step *step = &pattern->steps[i];
        switch (step->kind) {
        case CODES_STEP_LITERAL:
            pattern->key_max += (unsigned)codes_point_write(step->point, bytes);
            break;
        case CODES_STEP_PLACE:
            pattern->key_max += step->set->key_max;
            break;
        case CODES_STEP_CHECK:
            pattern->key_max += check_key;
            break;
        }
    }
    for (unsigned i = 0; i < pattern->piece_count; i++) {
        const struct codes_piece *piece = &pattern->pieces[i];
        switch (piece->kind) {
        case CODES_PIECE_TEXT:
            pattern->display_max += piece->len;
            break;
        case CODES_PIECE_PLACE:
            pattern->display_max += piece->set->show_max;
            break;
        case CODES_PIECE_CHECK:
            pattern->display_max += check_show;
            break;
        }
    }
    if (pattern->key_max > CODES_PATTERN_BYTES)
        return fail_too_long("bytes in a key", CODES_PATTERN_BYTES, err);
    if (pattern->display_max > CODES_PATTERN_BYTES)
        return fail_too_long("bytes in a displayed code", CODES_PATTERN_BYTES, err);
    return 0;
}

static bool set_is_shown_as_key(const struct codes_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        if (set->symbols[i].key_len != set->symbols[i].show_len ||
            memcmp(set->symbols[i].key, set->symbols[i].show, set->symbols[i].key_len) != 0)
            return false;
    return true;
}

static void compile_display_is_key(struct codes_pattern *pattern)
{
    struct codes_code code;

    /* With sets that are shown as they are, one code tells about the literals of all. */
    codes_pattern_render(pattern, 0, NULL, &code);
    pattern->display_is_key =
        code.key_len == code.display_len && memcmp(code.key, code.display, code.key_len) == 0;
    for (unsigned i = 0; i < pattern->set_count; i++)
        pattern->display_is_key =
            pattern->display_is_key && set_is_shown_as_key(&pattern->sets[i]->set);
}

static bool set_is_narrow(const struct codes_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        if (set->symbols[i].key_len != 1 || set->symbols[i].show_len != 1)
            return false;
    return true;
}

/* Where all symbols have one byte, every code is the first one with other bytes at fixed places. */
static void compile_template(struct codes_pattern *pattern)
{
    struct codes_code code;
    unsigned at = 0;
    unsigned place = 0;
    char bytes[4];

    for (unsigned i = 0; i < pattern->set_count; i++)
        if (!set_is_narrow(&pattern->sets[i]->set))
            return;
    codes_pattern_render(pattern, 0, NULL, &code);
    memcpy(pattern->key_template, code.key, code.key_len + 1u);
    memcpy(pattern->display_template, code.display, code.display_len + 1u);
    for (unsigned i = 0; i < pattern->step_count; i++) {
        if (pattern->steps[i].kind == CODES_STEP_LITERAL) {
            at += (unsigned)codes_point_write(pattern->steps[i].point, bytes);
            continue;
        }
        pattern->key_at[place++] = (uint8_t)at++;
    }
    at = 0;
    place = 0;
    for (unsigned i = 0; i < pattern->piece_count; i++) {
        if (pattern->pieces[i].kind == CODES_PIECE_TEXT) {
            at += pattern->pieces[i].len;
            continue;
        }
        pattern->display_at[place++] = (uint8_t)at++;
    }
    pattern->narrow = true;
}

static int keep_texts(struct codes_pattern *pattern, const struct reader *reader, bool add_check,
                      struct err *err)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text);
    buf_add(&text, reader->text, add_check ? reader->place_end : reader->len);
    if (add_check) {
        buf_add_str(&text, "{check}");
        buf_add(&text, reader->text + reader->place_end, reader->len - reader->place_end);
    }
    if (text.len > CODES_PATTERN_TEXT_MAX)
        return fail_too_long("bytes of text", CODES_PATTERN_TEXT_MAX, err);
    pattern->text = buf_detach(&text, NULL);
    pattern->fingerprint = codes_pattern_make_fingerprint(pattern);
    if (pattern->text == NULL || pattern->fingerprint == NULL)
        return err_nomem(err);
    return 0;
}

static int compile(struct codes_pattern *pattern, struct reader *reader, bool check,
                   struct err *err)
{
    bool add_check;

    if (read_pieces(pattern, reader, err) < 0)
        return -1;
    if (!reader->has_place && (check || reader->has_check))
        return err_set(err, ERR_POISON, "codes", "pattern_no_place",
                       "a check character needs a place with at least two symbols");
    add_check = check && !reader->has_check;
    if (add_check && insert_check(pattern, reader, err) < 0)
        return -1;
    pattern->has_check = check || reader->has_check;
    if (compile_steps(pattern, err) < 0)
        return -1;
    if (pattern->step_count == 0)
        return err_set(err, ERR_POISON, "codes", "pattern_empty",
                       "a pattern needs a place, or a literal that is more than dashes and spaces");
    if (pattern->has_check && compile_check(pattern, err) < 0)
        return -1;
    if (compile_bounds(pattern, err) < 0)
        return -1;
    compile_rank(pattern);
    compile_display_is_key(pattern);
    compile_template(pattern);
    return keep_texts(pattern, reader, add_check, err);
}

int codes_pattern_parse(const char *text, size_t len, bool check,
                        struct codes_pattern **ret_pattern, struct err *err)
{
    struct reader reader = {.text = text, .len = len};

    if (len > CODES_PATTERN_TEXT_MAX)
        return fail_too_long("bytes of text", CODES_PATTERN_TEXT_MAX, err);
    struct codes_pattern *pattern = calloc(1, sizeof *pattern);
    if (pattern == NULL)
        return err_nomem(err);
    if (compile(pattern, &reader, check, err) < 0) {
        codes_pattern_free(pattern);
        return -1;
    }
    *ret_pattern = pattern;
    return 0;
}

void codes_pattern_free(struct codes_pattern *pattern)
{
    if (pattern == NULL)
        return;
    for (unsigned i = 0; i < pattern->set_count; i++)
        free(pattern->sets[i]);
    free(pattern->text);
    free(pattern->fingerprint);
    free(pattern);
}

const char *codes_pattern_text(const struct codes_pattern *pattern)
{
    return pattern->text;
}

const char *codes_pattern_fingerprint(const struct codes_pattern *pattern)
{
    return pattern->fingerprint;
}

codes_u128 codes_pattern_space(const struct codes_pattern *pattern)
{
    return pattern->space;
}

unsigned codes_pattern_places(const struct codes_pattern *pattern)
{
    return pattern->place_count;
}

unsigned codes_pattern_free_places(const struct codes_pattern *pattern)
{
    return pattern->place_count - pattern->ranked;
}

bool codes_pattern_has_check(const struct codes_pattern *pattern)
{
    return pattern->has_check;
}

unsigned codes_pattern_key_chars(const struct codes_pattern *pattern)
{
    return pattern->step_count;
}

unsigned codes_pattern_key_bytes(const struct codes_pattern *pattern)
{
    return pattern->key_max;
}

unsigned codes_pattern_display_bytes(const struct codes_pattern *pattern)
{
    return pattern->display_max;
}

bool codes_pattern_display_is_key(const struct codes_pattern *pattern)
{
    return pattern->display_is_key;
}
