/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting a command: everything that can be known to fail is refused here, before a row is made.
 */
#include "generate_worker.h"

#include "base_fault.h"
#include "codes_capacity.h"
#include "codes_check.h"
#include "codes_pattern.h"

#include <string.h>

/* The row of table code beside key: batch_id, serial, uses, flags. */
#define ROW_BYTES 14

/*
 * Counting the strings without blocked words takes about characters of all words * places steps,
 * and with a check character symbols^2 times as many: some ns each, while the transaction holds its
 * locks and says nothing. A worker that is silent for two seconds is taken for a frozen one.
 */
#define COUNT_STEPS_MOST UINT64_C(250000000)
#define CHECK_STEPS (CODES_CHECK_MAX * CODES_CHECK_MAX)

static bool takes_too_long_to_count(const struct msg_generate *data,
                                    const struct codes_pattern *pattern)
{
    uint64_t characters = 0;

    if (!codes_pattern_has_check(pattern))
        return false;
    for (size_t i = 0; i < codes_words_builtin_count; i++)
        characters += strlen(codes_words_builtin[i]);
    for (size_t i = 0; i < data->blocked_words.count; i++)
        characters += strlen(data->blocked_words.items[i]);
    return characters * codes_pattern_places(pattern) * CHECK_STEPS > COUNT_STEPS_MOST;
}

/* Which of our reasons an error of library codes is. */
static enum msg_reason_id reason_of(const struct err *why)
{
    static const struct {
        const char *code;
        enum msg_reason_id reason;
    } reasons[] = {
        {"capacity_exceeded", MSG_REASON_NOT_ENOUGH_SPACE},
        {"count_out_of_range", MSG_REASON_NOT_ENOUGH_SPACE},
        {"guessable", MSG_REASON_TOO_GUESSABLE},
        {"check_size", MSG_REASON_CHECK_NOT_POSSIBLE},
    };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (strcmp(why->code, reasons[i].code) == 0)
            return reasons[i].reason;
    }
    if (strncmp(why->pointer, "/blocked_words", strlen("/blocked_words")) == 0)
        return MSG_REASON_BAD_WORD;
    if (strcmp(why->pointer, "/format/charset") == 0 || strncmp(why->code, "set_", 4) == 0 ||
        strncmp(why->code, "symbol_", 7) == 0)
        return MSG_REASON_BAD_CHARSET;
    return MSG_REASON_BAD_PATTERN;
}

/* A refusal from an error that is one (0), or the error itself (-1). */
static int refuse_or_fail(struct runtime_outcome *ret, const struct err *why, struct err *err)
{
    if (why->kind != ERR_POISON) {
        *err = *why;
        return -1;
    }
    return runtime_refuse(ret, msg_reason_code(reason_of(why)), why->pointer, "%s", why->text);
}

static const struct store_coupon *find_coupon(const struct generate *generate,
                                              const struct msg_generate *data,
                                              struct runtime_outcome *ret)
{
    const struct store_coupon *coupon = store_catalog_coupon(generate->catalog, data->coupon);
    enum msg_reason_id reason = MSG_REASON_NONE;

    if (coupon == NULL)
        reason = MSG_REASON_UNKNOWN_COUPON;
    else if (coupon->archived)
        reason = MSG_REASON_COUPON_ARCHIVED;
    for (size_t i = 0; reason == MSG_REASON_NONE && i < coupon->campaign->chain_len; i++) {
        if (coupon->campaign->chain[i]->status == STORE_CAMPAIGN_ARCHIVED)
            reason = MSG_REASON_CAMPAIGN_ARCHIVED;
    }
    if (reason == MSG_REASON_NONE)
        return coupon;
    (void)runtime_refuse(ret, msg_reason_code(reason), "/coupon", "%s", msg_reason_text(reason));
    return NULL;
}

/* null in the message is unlimited, absent leaves it to the coupon. */
static int32_t limit_of(struct msg_int given)
{
    return given.is == MSG_ABSENT ? STORE_INHERIT : (int32_t)given.value;
}

static int write_job(struct runtime *runtime, const struct runtime_item *item,
                     const struct store_coupon *coupon, const struct codes_pattern *pattern,
                     const struct store_space *space, struct jobs_job *ret_job, struct err *err)
{
    const struct msg_envelope *envelope = &item->command->envelope;
    const struct msg_generate *data = item->command->data.generate;
    struct jobs_token tokens[JOBS_LANES];
    size_t token_count = 0;
    struct jobs_job job = {.kind = JOBS_GENERATE,
                           .state = JOBS_RUNNING,
                           .source = envelope->source,
                           .ce_id = envelope->id,
                           .traceparent = envelope->traceparent,
                           .campaign = coupon->campaign->ext_id,
                           .coupon = coupon->ext_id,
                           .campaign_id = coupon->campaign->id,
                           .coupon_id = coupon->id,
                           .total = data->count,
                           .width = (int)data->priority,
                           .accepted_us = item->now_us};
    struct store_batch batch = {.coupon_id = coupon->id,
                                .space_id = space->id,
                                .origin = STORE_GENERATED,
                                .pattern = codes_pattern_text(pattern),
                                .size = (int32_t)data->count,
                                .active = data->active,
                                .max_uses = limit_of(data->max_uses),
                                .customer_limit = limit_of(data->per_customer),
                                .starts_us = msg_int_or(data->starts_at, -1),
                                .ends_us = msg_int_or(data->ends_at, -1),
                                .created_us = item->now_us};

    msg_job_id(MSG_KIND_GENERATE, envelope->source, envelope->id, job.id);
    memcpy(batch.job, job.id, sizeof(batch.job));
    if (generate_params(runtime_arena(runtime), data, pattern, &job.params, err) < 0 ||
        store_source_id(runtime_sources(runtime), runtime_db(runtime), envelope->source,
                        &job.source_id, err) < 0 ||
        store_space_reserve(runtime_db(runtime), space->id, data->count, err) < 0 ||
        jobs_create(runtime_db(runtime), &job, false, tokens, &token_count, err) < 0 ||
        store_batch_put(runtime_db(runtime), &batch, &job.batch_id, err) < 0 ||
        runtime_job_start(runtime, &job, tokens, token_count, err) < 0)
        return -1;
    *ret_job = job;
    return 0;
}

static int tell(struct runtime *runtime, const struct jobs_job *job,
                const struct codes_pattern *pattern, const struct codes_capacity *capacity,
                bool warn, struct runtime_outcome *ret, struct err *err)
{
    struct arena *arena = runtime_arena(runtime);
    char number[CODES_U128_TEXT];
    struct msg_job_event event;
    const char *warning = NULL;

    if (runtime_job_event(runtime, job, &event, err) < 0)
        return -1;
    event.pattern = arena_strdup(arena, codes_pattern_text(pattern));
    event.capacity = arena_strdup(arena, codes_u128_text(capacity->space, number));
    event.guess_odds = arena_strdup(arena, codes_u128_text(capacity->odds, number));
    event.priority = msg_int_of(job->width);
    if (event.pattern == NULL || event.capacity == NULL || event.guess_odds == NULL)
        return err_nomem(err);
    if (warn) {
        warning = arena_printf(arena, "One guess in %s will hit a code.", event.guess_odds);
        if (warning == NULL)
            return err_nomem(err);
        event.warnings.items = &warning;
        event.warnings.count = 1;
    }
    ret->type = msg_event_type(MSG_EVENT_JOB_ACCEPTED)->name;
    ret->key = event.job;
    ret->has_job = true;
    memcpy(ret->job, job->id, sizeof(ret->job));
    return runtime_job_data(runtime, MSG_EVENT_JOB_ACCEPTED, &event, &ret->data, &ret->data_len,
                            err);
}

int generate_accept(struct runtime *runtime, const struct runtime_item *item, void *opaque,
                    struct runtime_outcome *ret, struct err *err)
{
    const struct generate *generate = opaque;
    const struct msg_generate *data = item->command->data.generate;
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = NULL;
    CLEANUP(codes_words_freep) struct codes_words *words = NULL;
    const struct store_coupon *coupon = find_coupon(generate, data, ret);
    struct codes_capacity capacity;
    struct store_space space;
    struct jobs_job job;
    codes_u128 usable = 0;
    struct err why = {0};

    if (coupon == NULL)
        return 0;
    if (generate_pattern(data, coupon->pattern, &pattern, &words, &why) < 0)
        return refuse_or_fail(ret, &why, err);
    if (takes_too_long_to_count(data, pattern))
        return runtime_refuse(ret, msg_reason_code(MSG_REASON_TOO_MANY), "/blocked_words",
                              "The blocked words are too many for a pattern of %u places with a "
                              "check character.",
                              codes_pattern_places(pattern));
    if (codes_words_count(words, pattern, &usable, err) < 0 ||
        store_space_lock(runtime_db(runtime), codes_pattern_fingerprint(pattern),
                         codes_pattern_text(pattern), codes_pattern_space(pattern), usable, &space,
                         err) < 0)
        return -1;
    fault_point("space_locked");
    codes_capacity_figure(pattern, usable, (codes_u128)space.live, (uint64_t)data->count, ROW_BYTES,
                          false, &capacity);
    int verdict = codes_capacity_verdict(&capacity, data->allow_guessable, &why);

    if (verdict < 0) {
        /* No count would do where every code holds a blocked word. */
        (void)snprintf(why.pointer, sizeof(why.pointer), "%s",
                       usable == 0 ? generate_pattern_pointer(data) : "/count");
        return refuse_or_fail(ret, &why, err);
    }
    if (write_job(runtime, item, coupon, pattern, &space, &job, err) < 0)
        return -1;
    return tell(runtime, &job, pattern, &capacity, verdict > 0, ret, err);
}
