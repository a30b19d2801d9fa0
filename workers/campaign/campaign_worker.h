/* SPDX-License-Identifier: Apache-2.0
 *
 * Campaign-worker: applies the commands about definitions (campaign.commands) and answers each with
 * one event on campaign.events, keyed by the definition's id.
 */
#ifndef CAMPAIGN_WORKER_H
#define CAMPAIGN_WORKER_H

#include "runtime.h"

extern const struct worker campaign_worker;

#endif
