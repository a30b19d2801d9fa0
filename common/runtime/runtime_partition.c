/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_partition.h"

#include <inttypes.h>

static int topic_changed(const struct partition *partition, struct err *err)
{
    return err_set(err, ERR_FATAL, "runtime", "topic_changed",
                   "partition %" PRId32 " of %s is not the one we know (offset %" PRId64
                   " was applied): if the topic was made anew on purpose, delete its rows of "
                   "table progress",
                   partition->number, partition->topic, partition->next - 1);
}

int partition_start(struct partition *partition, const struct partition_facts *facts,
                    int64_t *ret_start, struct err *err)
{
    int64_t start = facts->committed < 0 ? partition->from : facts->committed;

    if (partition->next > facts->high)
        return topic_changed(partition, err);
    start = MIN_OF(MAX_OF(start, partition->from), partition->next);
    partition->position = start;
    /* The group's offset was committed together with the outcomes below it. */
    partition->from = start;
    partition->verify = -1;
    if (start < facts->low) {
        /* Of a partition that was never read, what is gone is none of our business. Of one that
         * was, what is gone above `next` was not applied; between start and next it was, and only
         * its outcome may be. */
        if (partition->next > 0 && partition->next < facts->low && !facts->tokens)
            return err_set(err, ERR_FATAL, "runtime", "commands_lost",
                           "partition %" PRId32 " of %s starts at offset %" PRId64
                           ", but only %" PRId64 " was applied: retention removed commands unread; "
                           "to go on without them set next_offset of table progress",
                           partition->number, partition->topic, facts->low, partition->next);
        partition->position = facts->low;
        *ret_start = facts->low;
        return 0;
    }
    if (partition->next_time_us >= 0 && partition->next - 1 >= facts->low) {
        partition->verify = partition->next - 1;
        start = MIN_OF(start, partition->verify);
    }
    *ret_start = start;
    return 0;
}

int partition_admit(struct partition *partition, int64_t offset, int64_t time_us, struct err *err)
{
    if (partition->verify >= 0 && offset >= partition->verify) {
        /* Past it without having seen it: retention was faster. */
        if (offset == partition->verify && time_us != partition->next_time_us)
            return topic_changed(partition, err);
        partition->verify = -1;
    }
    if (offset < partition->position)
        return 0;
    partition->position = offset + 1;
    return 1;
}
