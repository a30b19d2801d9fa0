/* SPDX-License-Identifier: Apache-2.0
 *
 * The jobs that an archived campaign or coupon takes with it: they end as cancelled and keep what
 * they have done.
 */
#ifndef CAMPAIGN_JOBS_H
#define CAMPAIGN_JOBS_H

#include "runtime.h"
#include "store_definition.h"

/*
 * Cancel the jobs of an archive command and publish their terminal events. A job that has just come
 * to its end by itself is left alone.
 */
int campaign_jobs_cancel(struct runtime *runtime, const struct runtime_item *item,
                         const struct store_definition *archived, struct err *err) MUST_CHECK;
/* A replay of the archive command: publish the same terminal events again. */
int campaign_jobs_again(struct runtime *runtime, const struct runtime_item *item,
                        struct err *err) MUST_CHECK;

#endif
