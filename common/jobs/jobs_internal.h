/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers that stand in tables lane and chunk.
 */
#ifndef JOBS_INTERNAL_H
#define JOBS_INTERNAL_H

enum {
    JOBS_LANE_PARKED = 0,
    JOBS_LANE_OPEN = 1,
    JOBS_LANE_DONE = 2,
};
enum {
    JOBS_SAYS_PROGRESS = 1,
    JOBS_SAYS_TERMINAL = 2,
};

#endif
