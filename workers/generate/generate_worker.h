/* SPDX-License-Identifier: Apache-2.0
 *
 * The generate-worker: accepts commands to generate codes (generate_accept.c) and does chunks of
 * the jobs that they start (generate_chunk.c). What a job draws is a function of the fleet's
 * secret, the command's identity and the job's parameters (generate_plan.c), so that any worker can
 * do any chunk.
 */
#ifndef GENERATE_WORKER_H
#define GENERATE_WORKER_H

#include "codes_strata.h"
#include "codes_words.h"
#include "jobs.h"
#include "runtime.h"
#include "runtime_jobs.h"
#include "runtime_ledger.h"
#include "store_catalog.h"
#include "store_code.h"
#include "store_source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GENERATE_PLANS 8
#define GENERATE_BLOCK 1024 /* codes drawn at once */

/* A job ready to draw from. */
struct generate_plan {
    uint8_t job[16];
    struct codes_pattern *pattern; /* NULL: free slot */
    struct codes_words *words;
    struct codes_strata *strata;
    uint64_t used; /* for replacing the one that was not used for longest */
    bool crowded;  /* the last chunk met codes that are not the job's own */
};

struct generate {
    struct store_catalog *catalog;
    struct generate_plan plans[GENERATE_PLANS];
    uint64_t uses;
    struct runtime_pace pace;
    int32_t shard;
    struct codes_code block[GENERATE_BLOCK];
};

extern const struct worker generate_worker;

/* generate_plan.c */
/* Pattern and blocked words of a command; ERR_POISON with a pointer says what cannot be. The caller
 * frees both. */
int generate_pattern(const struct msg_generate *data, const char *coupon_pattern,
                     struct codes_pattern **ret_pattern, struct codes_words **ret_words,
                     struct err *err) MUST_CHECK;
/* Where the command says what its codes look like, as a JSON Pointer. */
const char *generate_pattern_pointer(const struct msg_generate *data);
/* Pattern and words as the params of the job's row, JSON in the arena. */
int generate_params(struct arena *arena, const struct msg_generate *data,
                    const struct codes_pattern *pattern, const char **ret_json,
                    struct err *err) MUST_CHECK;
/* The plan of a job from its row; owned by the worker, valid until the next call. */
int generate_plan_of(struct runtime *runtime, struct generate *generate, const struct jobs_job *job,
                     struct generate_plan **ret_plan, struct err *err) MUST_CHECK;
void generate_plans_done(struct generate *generate);

/* generate_accept.c: a runtime_decide_fn */
int generate_accept(struct runtime *runtime, const struct runtime_item *item, void *opaque,
                    struct runtime_outcome *ret, struct err *err);

/* generate_chunk.c */
extern const struct runtime_job_work generate_work;

#endif
