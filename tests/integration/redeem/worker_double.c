/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_double.h"

#include "base_buf.h"
#include "base_digest.h"
#include "db_query.h"
#include "db_tx.h"
#include "store_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TRIES_MAX 20

#define CHECK(call, err)                                                                           \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s: %s", #call, (err).code, (err).text);                                 \
    } while (0)

/* --- the runtime's part -------------------------------------------------------------------------
 */

struct runtime {
    struct runtime_conf conf;
    struct db_conn *db;
    struct arena *arena;
    struct store_source *sources;
    /* where the batch's events go */
    struct stage *stage;
    struct arena *texts;
    struct answer *answers;
    size_t answer_count;
    size_t answers_max;
};

const struct runtime_conf *runtime_conf(const struct runtime *runtime)
{
    return &runtime->conf;
}

struct db_conn *runtime_db(struct runtime *runtime)
{
    return runtime->db;
}

struct arena *runtime_arena(struct runtime *runtime)
{
    return runtime->arena;
}

struct store_source *runtime_sources(struct runtime *runtime)
{
    return runtime->sources;
}

static const char *keep(struct arena *arena, const char *text)
{
    const char *kept = arena_strdup(arena, text);

    assert_non_null(kept);
    return kept;
}

int runtime_emit(struct runtime *runtime, const struct msg_event *event,
                 const struct msg_envelope *cause, struct err *err UNUSED)
{
    struct answer *answer = &runtime->answers[runtime->answer_count++];
    const char *data = arena_memdup(runtime->texts, event->data, event->data_len);

    if (runtime->stage->meanwhile != NULL) {
        void (*meanwhile)(struct stage *) = runtime->stage->meanwhile;

        runtime->stage->meanwhile = NULL;
        meanwhile(runtime->stage);
    }
    assert_true(runtime->answer_count <= runtime->answers_max);
    assert_non_null(data);
    assert_int_equal(event->topic, MSG_TOPIC_REDEMPTION_EVENTS);
    *answer = (struct answer){.cause_id = keep(runtime->texts, cause->id),
                              .cause_source = keep(runtime->texts, cause->source),
                              .type = keep(runtime->texts, event->type),
                              .key = keep(runtime->texts, event->key),
                              .data = data,
                              .repeated = event->repeated,
                              .at_us = event->time_us};
    (void)digest_uuid_text(event->id, answer->id);
    return 0;
}

/* --- the stage ----------------------------------------------------------------------------------
 */

int stage_open(void **state)
{
    static struct stage stage;
    static struct runtime runtime;
    struct err err = {0};
    void *fx = NULL;
    void *redeem = NULL;

    if (fixture_open(&fx) < 0)
        return -1;
    stage.fx = fx;
    stage.runtime = &runtime;
    stage.texts = arena_new(1 << 20, 0);
    runtime.conf.fleet_secret = "0123456789abcdef0123456789abcdef";
    runtime.db = stage.fx->db;
    runtime.stage = &stage;
    runtime.arena = arena_new(1 << 20, 0);
    runtime.sources = store_source_new(0);
    assert_true(stage.texts != NULL && runtime.arena != NULL && runtime.sources != NULL);
    /* Thousands of transactions, none of which has to outlive the server. */
    CHECK(db_exec(stage.fx->db, "set synchronous_commit = off", &err), err);
    CHECK(redeem_worker.start(&runtime, &redeem, &err), err);
    stage.redeem = redeem;
    *state = &stage;
    return 0;
}

int stage_close(void **state)
{
    struct stage *stage = *state;
    void *fx = stage->fx;

    redeem_worker.stop(stage->redeem);
    store_source_free(stage->runtime->sources);
    arena_free(stage->runtime->arena);
    arena_free(stage->texts);
    return fixture_close(&fx);
}

void stage_clear(struct stage *stage)
{
    struct err err = {0};
    void *fx = stage->fx;

    fixture_reset(&fx);
    store_source_forget(stage->runtime->sources);
    CHECK(redeem_worker.connected(stage->runtime, stage->redeem, &err), err);
}

int stage_reset(void **state)
{
    struct stage *stage = *state;

    stage_clear(stage);
    arena_reset(stage->texts);
    return 0;
}

static void decode(struct stage *stage, const struct sent *sent, struct runtime_item *item)
{
    static const struct record_header header = {"content-type", "application/cloudevents+json", 28};
    struct arena *arena = stage->runtime->arena;
    struct record *record = arena_zalloc(arena, 1, sizeof(*record));
    struct msg_command *command = NULL;
    struct err err = {0};

    assert_non_null(record);
    *record = (struct record){.topic = "redeem.commands",
                              .partition = sent->partition,
                              .offset = sent->offset,
                              .time_us = sent->at_us,
                              .value = sent->event,
                              .value_len = strlen(sent->event),
                              .headers = &header,
                              .header_count = 1};
    if (msg_command_decode(record, MSG_TOPIC_REDEEM_COMMANDS, arena, &command, &err) != MSG_DECODED)
        fail_msg("%s: %s at %s", sent->event, err.code, err.pointer);
    *item = (struct runtime_item){record, command, sent->at_us, sent->replayed};
}

int stage_try(struct stage *stage, enum way way, const struct sent *sent, size_t count,
              struct answer *answers, struct err *err)
{
    struct runtime *runtime = stage->runtime;
    struct runtime_batch batch = {.count = count, .shard = 3};
    struct runtime_item *items;

    arena_reset(runtime->arena);
    items = arena_zalloc(runtime->arena, count, sizeof(*items));
    assert_non_null(items);
    batch.items = items;
    for (size_t i = 0; i < count; i++)
        decode(stage, &sent[i], &items[i]);
    runtime->texts = stage->texts;
    runtime->answers = answers;
    runtime->answers_max = count;
    runtime->answer_count = 0;
    stage->redeem->refusals = way == WAY_CAREFUL ? 1.0 : 0.0;
    stage->redeem->failed = way == WAY_LOCKING;
    if (redeem_worker.batch(runtime, stage->redeem, &batch, err) < 0)
        return -1;
    assert_int_equal(runtime->answer_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(answers[i].cause_id, items[i].command->envelope.id);
        assert_string_equal(answers[i].cause_source, items[i].command->envelope.source);
    }
    return 0;
}

void stage_batch(struct stage *stage, enum way way, const struct sent *sent, size_t count,
                 struct answer *answers)
{
    struct db_conn *db = stage->runtime->db;

    for (stage->tries = 1; stage->tries <= TRIES_MAX; stage->tries++) {
        struct err err = {0};

        CHECK(db_tx_begin(db, &err), err);
        if (stage_try(stage, way, sent, count, answers, &err) == 0) {
            CHECK(db_tx_commit(db, &err), err);
            return;
        }
        if (err.kind != ERR_RETRY)
            fail_msg("batch: %s: %s", err.code, err.text);
        CHECK(db_tx_rollback(db, &err), err);
        way = stage->redeem->failed ? WAY_LOCKING : way;
    }
    fail_msg("batch: not within %d tries", TRIES_MAX);
}

void stage_codes(struct stage *stage, const char *coupon, const char *keys, int max_uses,
                 int per_customer)
{
    CLEANUP(buf_done) struct buf sql = {0};
    char max[16] = "null";
    char per[16] = "null";

    if (max_uses >= 0)
        snprintf(max, sizeof(max), "%d", max_uses);
    if (per_customer >= 0)
        snprintf(per, sizeof(per), "%d", per_customer);
    buf_init(&sql);
    buf_printf(&sql,
               "insert into source (name) values ('maker') on conflict do nothing;"
               "with j as (insert into job (id, kind, state, source_id, ce_id, params, total, "
               "lanes_left, width, accepted_at, progress_at, outcome) select gen_random_uuid(), 1, "
               "3, id, gen_random_uuid()::text, '{}', 0, 0, 1, now(), now(), '{}' from source "
               "where name = 'maker' returning id),"
               " b as (insert into batch (job_id, coupon_id, origin, size, max_uses, "
               "customer_limit, created_at) select j.id, k.id, 1, 0, %s, %s, now() from j, coupon "
               "k where k.ext_id = '%s' returning id) "
               "insert into code (key, batch_id, serial) select c, b.id, n - 1 from b, "
               "unnest(string_to_array('%s', ' ')) with ordinality as k (c, n)",
               max, per, coupon, keys);
    assert_false(buf_failed(&sql));
    fixture_exec(stage->fx, sql.data);
}

const char *stage_dump(struct stage *stage)
{
    return fixture_text(
        stage->fx,
        "select string_agg(part, E'\\n' order by n) from ("
        "select 1 as n, string_agg(to_jsonb(r) - '{seq,xid,source_id}'::text[] || "
        "jsonb_build_object("
        "'source', s.name)::text, E'\\n' order by s.name, r.ce_id, r.line) as part from redemption "
        "r join source s on s.id = r.source_id "
        "union all select 2, string_agg(format('%s %s', key, uses), E'\\n' order by key) from code "
        "union all select 3, string_agg(format('%s %s %s %s %s', scope, subject, "
        "encode(customer, 'hex'), uses, most), E'\\n' order by scope, subject, customer) from "
        "counter where uses > 0 "
        "union all select 4, string_agg(format('%s %s %s', campaign_id, name, value), E'\\n' order "
        "by campaign_id, name) from tally where name <> 'changes' and value <> 0 "
        "union all select 5, string_agg(name, ' ' order by name) from source) x");
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    struct buf buf;
    char block[4096];
    size_t len = 0;

    buf_init(&buf);
    if (file == NULL)
        fail_msg("cannot read %s", path);
    while ((len = fread(block, 1, sizeof(block), file)) > 0)
        buf_add(&buf, block, len);
    (void)fclose(file);
    return buf_detach(&buf, NULL);
}

void stage_audit(struct stage *stage)
{
    static const char *const checks[] = {
        "01_code_uses_within_limit", "02_code_uses_equal_ledger",
        "03_counter_within_limit",   "04_definition_limits_hold",
        "05_counter_equals_ledger",  "06_counter_exists",
        "08_tally_redemptions",      "09_tally_money",
        "10_tally_refused",          "23_redemption_references",
    };

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        CLEANUP(db_result_done) struct db_result res = {0};
        char path[512];
        struct err err = {0};

        snprintf(path, sizeof(path), "%s/schemas/sql/checks/%s.sql", SOURCE_DIR, checks[i]);
        char *sql = read_file(path);
        int said = db_query_once(stage->fx->db, sql, NULL, &res, &err);

        free(sql);
        if (said < 0)
            fail_msg("%s: %s", checks[i], err.text);
        if (db_result_rows(&res) > 0)
            fail_msg("%s finds %d rows", checks[i], db_result_rows(&res));
    }
}
