/* SPDX-License-Identifier: Apache-2.0 */
#include "generate_worker.h"

#include "base_digest.h"
#include "codes_canonical.h"
#include "codes_pattern.h"
#include "codes_secret.h"
#include "codes_set.h"
#include "jsonio.h"
#include "jsonio_writer.h"

#include <string.h>

static int point_at(struct err *err, const char *pointer)
{
    if (err->kind == ERR_POISON)
        (void)snprintf(err->pointer, sizeof(err->pointer), "%s", pointer);
    return -1;
}

const char *generate_pattern_pointer(const struct msg_generate *data)
{
    if (data->format != NULL)
        return "/format";
    return data->pattern != NULL ? "/pattern" : "/coupon";
}

static int from_format(const struct msg_code_format *format, bool check,
                       struct codes_pattern **ret_pattern, struct err *err)
{
    struct codes_format as = {.length = (unsigned)format->length,
                              .charset = format->charset,
                              .prefix = format->prefix,
                              .suffix = format->suffix,
                              .dash_every = (unsigned)format->dash_every,
                              .check = check};
    struct codes_set set;

    /* Alone first, so that the refusal can point at it. */
    if (format->charset != NULL &&
        codes_set_parse(format->charset, strlen(format->charset), &set, err) < 0)
        return point_at(err, "/format/charset");
    if (codes_pattern_from_format(&as, ret_pattern, err) < 0)
        return point_at(err, "/format");
    return 0;
}

static int parse_pattern(const struct msg_generate *data, const char *coupon_pattern,
                         struct codes_pattern **ret_pattern, struct err *err)
{
    const char *text = data->pattern != NULL ? data->pattern : coupon_pattern;

    if (data->format != NULL)
        return from_format(data->format, data->check, ret_pattern, err);
    if (text == NULL)
        text = CODES_PATTERN_DEFAULT;
    if (codes_pattern_parse(text, strlen(text), data->check, ret_pattern, err) < 0)
        return point_at(err, generate_pattern_pointer(data));
    return 0;
}

/* Points at the word that has no canonical form, or else at the list. */
static int point_at_word(struct err *err, const struct msg_texts *words)
{
    char pointer[sizeof(err->pointer)] = "/blocked_words";

    for (size_t i = 0; err->kind == ERR_POISON && i < words->count; i++) {
        char key[CODES_KEY_BYTES + 1];
        size_t len = 0;
        struct err why = {0};

        if (codes_canonical(words->items[i], strlen(words->items[i]), key, &len, &why) < 0) {
            (void)snprintf(pointer, sizeof(pointer), "/blocked_words/%zu", i);
            break;
        }
    }
    return point_at(err, pointer);
}

int generate_pattern(const struct msg_generate *data, const char *coupon_pattern,
                     struct codes_pattern **ret_pattern, struct codes_words **ret_words,
                     struct err *err)
{
    struct codes_pattern *pattern = NULL;

    if (parse_pattern(data, coupon_pattern, &pattern, err) < 0) {
        /* A check character that the command adds is what is wrong then, not the pattern. */
        if (data->check && strcmp(err->code, "check_size") == 0)
            return point_at(err, "/check");
        return -1;
    }
    if (codes_words_new(data->blocked_words.items, data->blocked_words.count, true, ret_words,
                        err) < 0) {
        codes_pattern_free(pattern);
        return point_at_word(err, &data->blocked_words);
    }
    *ret_pattern = pattern;
    return 0;
}

int generate_params(struct arena *arena, const struct msg_generate *data,
                    const struct codes_pattern *pattern, const char **ret_json, struct err *err)
{
    CLEANUP(buf_done) struct buf json;
    struct jsonio_writer writer;

    buf_init(&json);
    jsonio_writer_init(&writer, &json);
    jsonio_begin_object(&writer);
    jsonio_add_text(&writer, "pattern", codes_pattern_text(pattern));
    jsonio_put_key(&writer, "blocked_words");
    jsonio_begin_array(&writer);
    for (size_t i = 0; i < data->blocked_words.count; i++)
        jsonio_put_text(&writer, data->blocked_words.items[i]);
    jsonio_end_array(&writer);
    jsonio_end_object(&writer);
    *ret_json = arena_memdup(arena, json.data, json.len);
    return buf_failed(&json) || *ret_json == NULL ? err_nomem(err) : 0;
}

static void plan_done(struct generate_plan *plan)
{
    codes_strata_free(plan->strata);
    codes_words_free(plan->words);
    codes_pattern_free(plan->pattern);
    *plan = (struct generate_plan){0};
}

void generate_plans_done(struct generate *generate)
{
    for (size_t i = 0; i < GENERATE_PLANS; i++)
        plan_done(&generate->plans[i]);
}

/* The texts of the params; what is wrong with them is our own doing. */
static int read_params(struct arena *arena, const char *params, struct msg_generate *ret,
                       struct err *err)
{
    struct json_object *root = NULL;
    struct json_object *words = NULL;
    const char **items = NULL;
    const char *pattern = NULL;
    size_t count = 0;
    int read = -1;

    if (jsonio_parse(params, strlen(params), strlen(params), &root, err) < 0)
        return -1;
    if (jsonio_require_text(root, "", "pattern", CODES_PATTERN_TEXT_MAX, &pattern, err) < 0 ||
        jsonio_get_node(root, "", "blocked_words", JSONIO_ARRAY, &words, err) < 0)
        goto out;
    count = jsonio_length(words);
    items = arena_zalloc(arena, count + 1, sizeof(*items));
    if (items == NULL)
        goto nomem;
    for (size_t i = 0; i < count; i++) {
        items[i] = arena_strdup(arena, jsonio_text(jsonio_item(words, i), NULL));
        if (items[i] == NULL)
            goto nomem;
    }
    ret->pattern = arena_strdup(arena, pattern);
    if (ret->pattern == NULL)
        goto nomem;
    ret->blocked_words.items = items;
    ret->blocked_words.count = count;
    read = 0;
    goto out;
nomem:
    (void)err_nomem(err);
out:
    jsonio_free(root);
    return read;
}

static int plan_make(struct runtime *runtime, const struct jobs_job *job,
                     struct generate_plan *plan, struct err *err)
{
    const char *secret = runtime_conf(runtime)->fleet_secret;
    struct msg_generate data = {0};
    uint8_t key[CODES_KEY_LEN];

    if (read_params(runtime_arena(runtime), job->params, &data, err) < 0 ||
        generate_pattern(&data, NULL, &plan->pattern, &plan->words, err) < 0)
        return err_wrap(err, "params of the job");
    codes_secret_job(secret, strlen(secret), CODES_SECRET_DRAW, job->source, strlen(job->source),
                     job->ce_id, strlen(job->ce_id), key);
    int made = codes_strata_new(plan->pattern, (uint64_t)job->total, key, &plan->strata, err);

    digest_wipe(key, sizeof(key));
    return made;
}

int generate_plan_of(struct runtime *runtime, struct generate *generate, const struct jobs_job *job,
                     struct generate_plan **ret_plan, struct err *err)
{
    struct generate_plan *oldest = &generate->plans[0];

    for (size_t i = 0; i < GENERATE_PLANS; i++) {
        struct generate_plan *plan = &generate->plans[i];

        if (plan->pattern != NULL && memcmp(plan->job, job->id, sizeof(plan->job)) == 0) {
            plan->used = ++generate->uses;
            *ret_plan = plan;
            return 0;
        }
        if (plan->used < oldest->used)
            oldest = plan;
    }
    plan_done(oldest);
    if (plan_make(runtime, job, oldest, err) < 0) {
        plan_done(oldest);
        return -1;
    }
    memcpy(oldest->job, job->id, sizeof(oldest->job));
    oldest->used = ++generate->uses;
    *ret_plan = oldest;
    return 0;
}
