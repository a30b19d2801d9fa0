/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that start or steer jobs (topics generate.commands, export.commands, maintain.commands),
 * the tokens and timers of the internal topics, and the events of jobs (job.events).
 */
#ifndef MSG_JOB_H
#define MSG_JOB_H

#include "msg_reason.h"
#include "msg_values.h"

#define MSG_LANES 16 /* of a job; lane 16 is the overflow */

/* Absent members are 0 or NULL, as codes_format has them. */
struct msg_code_format {
    int64_t length;
    const char *charset;
    const char *prefix;
    const char *suffix;
    int64_t dash_every;
};

/* promofleet.codes.generate.v1 */
struct msg_generate {
    const char *coupon;
    int64_t count;
    const char *pattern;                  /* not together with format */
    const struct msg_code_format *format; /* NULL: none               */
    bool check;
    struct msg_texts blocked_words;
    struct msg_int max_uses;     /* null: unlimited; absent: the coupon's default */
    struct msg_int per_customer; /* absent: the coupon's default                  */
    bool active;
    struct msg_int starts_at;
    struct msg_int ends_at;
    bool allow_guessable;
    int64_t priority; /* lanes worked on at once, 1..16 */
};

enum msg_export_format {
    MSG_EXPORT_CSV,
};

/* promofleet.codes.export.v1, promofleet.redemptions.export.v1 */
struct msg_export {
    const char *campaign; /* exactly one of campaign and coupon */
    const char *coupon;
    bool include_descendants; /* true unless said otherwise; means nothing with a coupon */
    enum msg_export_format format;
};

/* promofleet.job.cancel.v1 */
struct msg_job_cancel {
    const char *job; /* a UUID, in either case */
};

/* --- internal --------------------------------------------------------------------------------- */

/* promofleet.token.v1: who takes it does chunk n of the lane */
struct msg_token {
    const char *job;
    int64_t lane;
    int64_t n;
    int64_t epoch;
};

/* promofleet.snapshot.v1: publish the campaign's metrics */
struct msg_snapshot_due {
    const char *campaign;
    int64_t due;
};

/* --- events ----------------------------------------------------------------------------------- */

enum msg_job_kind {
    MSG_JOB_CODES_GENERATE,
    MSG_JOB_CODES_EXPORT,
    MSG_JOB_REDEMPTIONS_EXPORT,
};
enum msg_job_state {
    MSG_JOB_RUNNING,
    MSG_JOB_PAUSED,
    MSG_JOB_COMPLETED,
    MSG_JOB_FAILED,
    MSG_JOB_CANCELLED,
};

struct msg_reason_list {
    const struct msg_reason *items;
    size_t count;
};

/* promofleet.job.{accepted,progressed,completed,failed,cancelled}.v1 */
struct msg_job_event {
    const char *job;
    enum msg_job_kind kind;
    enum msg_job_state state;
    int64_t total;
    int64_t done;
    const char *campaign;
    const char *coupon;
    struct msg_int batch;   /* of generated codes                                            */
    const char *pattern;    /* in force, decided when the job was accepted                   */
    const char *capacity;   /* codes that the pattern spans, decimal (may exceed 2^53)       */
    const char *guess_odds; /* tries per hit when the job is done, decimal                   */
    struct msg_int priority;
    struct msg_int rows;    /* of the end: rows made or written                              */
    struct msg_int redrawn; /* codes whose first draw was taken or blocked                   */
    struct msg_int parts;
    struct msg_int bytes;
    const char *manifest; /* where the export's manifest lies                              */
    const char *checksum; /* order-independent, over what was made; decimal                */
    struct msg_int rate_per_s;
    struct msg_int eta_s;
    struct msg_int elapsed_ms;
    struct msg_texts warnings;
    struct msg_reason_list reasons; /* of failed and cancelled */
};

/* promofleet.job.steered.v1: outcome of a cancel */
struct msg_job_steered {
    const char *job;
    enum msg_job_kind kind;
    enum msg_job_state state; /* after it */
    int64_t total;
    int64_t done;
};

#endif
