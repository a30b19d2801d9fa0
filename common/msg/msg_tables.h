/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of all messages, for the registries. Parts that several share stand at the end.
 */
#ifndef MSG_TABLES_H
#define MSG_TABLES_H

#include "msg_table.h"

/* commands: msg_definition.c */
extern const struct msg_table msg_table_campaign_put;
extern const struct msg_table msg_table_discount_put;
extern const struct msg_table msg_table_coupon_put;
extern const struct msg_table msg_table_affiliate_put;
extern const struct msg_table msg_table_archive;
/* msg_job.c */
extern const struct msg_table msg_table_generate;
extern const struct msg_table msg_table_export;
extern const struct msg_table msg_table_job_cancel;
extern const struct msg_table msg_table_token;
extern const struct msg_table msg_table_snapshot_due;
/* msg_redeem.c */
extern const struct msg_table msg_table_redeem;
extern const struct msg_table msg_table_validate;
extern const struct msg_table msg_table_release;

/* events: msg_definition.c, msg_job.c, msg_outcome.c */
extern const struct msg_table msg_table_definition_event;
extern const struct msg_table msg_table_job_event;
extern const struct msg_table msg_table_job_steered;
extern const struct msg_table msg_table_redeemed;
extern const struct msg_table msg_table_validated;
extern const struct msg_table msg_table_released;
extern const struct msg_table msg_table_code_rejected;
extern const struct msg_table msg_table_rejected;
extern const struct msg_table msg_table_metrics_snapshot;

/* parts */
extern const struct msg_table msg_table_reason;
extern const struct msg_table msg_table_order;
extern const struct msg_table msg_table_order_event;
extern const struct msg_table msg_table_redemption_ref;

/* ends_at must lie after starts_at; what JSON Schema cannot say. */
void msg_check_window(struct msg_check *check, const struct msg_int *starts_at,
                      const struct msg_int *ends_at);

/* Largest amount of money in minor units. */
#define MSG_MONEY_MAX INT64_C(1000000000000000)
#define MSG_INT32_MAX INT64_C(2147483647)
#define MSG_REASONS_LISTED 64

#endif
