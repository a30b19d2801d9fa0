/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands of the topic redeem.commands and their outcomes (redemption.events). Codes are as the
 * customer typed them, 1..256 characters, which is up to 1,024 bytes.
 */
#ifndef MSG_REDEEM_H
#define MSG_REDEEM_H

#include "msg_job.h"
#include "msg_values.h"

#define MSG_CODES_MAX 30

/* Both NULL when the command names no customer. */
struct msg_customer {
    const char *id;
    const char *email;
};

struct msg_order {
    const char *id;
    const char *currency;
    int64_t total_minor;
};

enum msg_on_refused {
    MSG_ALL_OR_NOTHING,
};

/* promofleet.code.redeem.v1, promofleet.code.validate.v1 */
struct msg_redeem {
    struct msg_texts codes; /* 1..30, distinct as texts (not yet in canonical form) */
    struct msg_customer customer;
    const char *client_key;
    const struct msg_order *order; /* NULL only in a validate */
    enum msg_on_refused on_refused;
    struct msg_int as_of; /* validate only */
};

/* Names a redeem command. */
struct msg_redemption_ref {
    const char *source;
    const char *id;
};

/* promofleet.code.release.v1 */
struct msg_release {
    struct msg_redemption_ref redemption;
    struct msg_texts codes; /* none: all of the redemption */
};

/* --- events ----------------------------------------------------------------------------------- */

struct msg_discount_share {
    const char *discount;
    int64_t minor;
};
struct msg_discount_given {
    const char *currency;
    int64_t total_minor;
    struct {
        const struct msg_discount_share *items;
        size_t count;
    } items;
};

struct msg_code_outcome {
    const char *code; /* canonical form */
    const char *coupon;
    struct msg_texts campaign_path; /* ids, root first */
    struct msg_int batch;
    int64_t units;
    const struct msg_discount_given
        *discount;            /* NULL: not known (validate without order), release */
    struct msg_int uses_left; /* null: unlimited; absent: not said */
};
struct msg_code_outcomes {
    const struct msg_code_outcome *items;
    size_t count;
};

/* promofleet.code.{redeemed,validated}.v1; all or nothing: every code passed */
struct msg_redeemed {
    struct msg_code_outcomes codes;
    const struct msg_order *order;
    struct msg_int discount_total_minor; /* given with an order */
    const char *currency;
};

/* promofleet.code.released.v1 */
struct msg_released {
    struct msg_redemption_ref redemption;
    bool before_redeem; /* the release came first: the redeem will take nothing */
    struct msg_code_outcomes codes;
    const char *order_id;
};

struct msg_code_refusal {
    const char *code; /* as given */
    struct msg_reason_list reasons;
};

/* promofleet.code.rejected.v1: reasons of the command, or of its codes */
struct msg_code_rejected {
    struct msg_reason_list reasons;
    struct {
        const struct msg_code_refusal *items;
        size_t count;
    } codes;
    const char *order_id;
};

/* promofleet.{campaign,coupon,discount,affiliate,job}.rejected.v1 */
struct msg_rejected {
    struct msg_reason_list reasons;
};

/* --- metrics ---------------------------------------------------------------------------------- */

struct msg_campaign_sums {
    int64_t issued;
    int64_t redeemed;
    int64_t released;
    struct msg_tallies discount_minor; /* by currency */
    struct msg_tallies order_minor;    /* by currency */
    struct msg_tallies refused;        /* by reason   */
};

/* promofleet.metrics.snapshot.v1 */
struct msg_metrics_snapshot {
    const char *campaign;
    const char *parent;
    int64_t version;
    int64_t at_us;
    struct msg_campaign_sums own;
    struct msg_campaign_sums total; /* own and all descendants' */
};

#endif
