/* SPDX-License-Identifier: Apache-2.0
 *
 * promoctl submit: publishes the commands of a file and, with --wait, awaits their outcomes.
 *
 * All lines are checked before the first is sent. Outcomes are looked for from the ends that the
 * topics had before that, so none can be missed. Sending and awaiting go on at the same time, with
 * at most --window commands between the oldest that is not printed and the newest.
 */
#include "base_arena.h"
#include "base_signal.h"
#include "ctl.h"
#include "ctl_input.h"
#include "ctl_line.h"
#include "ctl_open.h"
#include "ctl_print.h"
#include "kafka_admin.h"
#include "kafka_producer.h"
#include "kafka_reader.h"

#include <inttypes.h>

#define BAD_LINES_SHOWN 20
#define RANGES_MAX 1024
#define POLL_MS 100
/* Look for outcomes after so many lines, although there is more to send. */
#define LINES_A_LOOK 64
#define PROGRESS_US (TIME_US_PER_S / 4)

struct submit {
    struct ctl *ctl;
    struct msg_topics names;
    struct kafka_settings settings;
    struct ctl_input input;
    struct arena *arena;
    struct kafka_producer *producer;
    struct kafka_reader *reader; /* with --wait */
    struct ctl_open *open;
    int64_t until_us; /* INT64_MAX: for ever */
    bool timed_out;
    unsigned topics_used; /* bits: commands */
    unsigned events_used; /* bits: where they are answered */
    int64_t lines;
    int64_t sent;
    int64_t answered;
    int64_t started_us;
    int64_t shown_us;
    bool undelivered; /* the first one is in failure */
    int64_t failed_line;
    struct err failure;
};

static void submit_done(struct submit *submit)
{
    kafka_reader_close(submit->reader);
    kafka_producer_drop(submit->producer);
    ctl_open_free(submit->open);
    ctl_input_done(&submit->input);
    arena_free(submit->arena);
}

static void delivered(void *opaque, void *tag, int32_t partition, int64_t offset,
                      const struct err *err)
{
    struct submit *submit = opaque;
    (void)partition;
    (void)offset;
    if (!err || submit->undelivered)
        return;
    submit->undelivered = true;
    submit->failed_line = (int64_t)(intptr_t)tag;
    submit->failure = *err;
}

/* First pass. A bad line is told at once; after all of them nothing is sent. */
static int check_lines(struct submit *submit, struct err *err)
{
    int64_t bad = 0;
    int got;
    while ((got = ctl_input_next(&submit->input, err)) > 0) {
        struct ctl_line line;
        struct err why = {0};
        if (signal_stop_requested())
            return err_set(err, ERR_TRANSIENT, "ctl", "stopped", "interrupted");
        if (ctl_line_parse(submit->arena, &submit->names, submit->input.line, submit->input.len,
                           &line, &why) == 0) {
            submit->topics_used |= 1u << line.commands;
            submit->events_used |= 1u << line.events;
            submit->lines++;
        } else if (why.kind != ERR_POISON) {
            *err = why;
            return -1;
        } else if (bad++ < BAD_LINES_SHOWN) {
            fprintf(stderr, "promoctl: line %" PRId64 "%s%s: %s\n", submit->input.number,
                    why.pointer[0] ? ", " : "", why.pointer, why.text);
        }
        arena_reset(submit->arena);
    }
    if (got < 0)
        return -1;
    if (bad > 0)
        return ctl_usage(err, "%" PRId64 " of %" PRId64 " lines are refused; nothing was sent", bad,
                         bad + submit->lines);
    return ctl_input_rewind(&submit->input, err);
}

static int check_topics(struct submit *submit, struct kafka_admin *admin, struct err *err)
{
    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        int32_t partitions = 0;
        if (!(submit->topics_used >> i & 1))
            continue;
        int got = kafka_admin_topic_partitions(admin, submit->names.names[i], &partitions, err);
        if (got < 0)
            return -1;
        if (got == 0)
            return err_set(err, ERR_FATAL, "ctl", "no_topic",
                           "there is no topic %s; promoctl topics apply creates it",
                           submit->names.names[i]);
    }
    return 0;
}

/* Note where the topics end that outcomes will come to. */
static int open_reader(struct submit *submit, struct kafka_admin *admin, struct err *err)
{
    struct kafka_range ranges[RANGES_MAX];
    size_t count = 0;
    unsigned topics = submit->events_used | 1u << MSG_TOPIC_DEAD_LETTER;

    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        const char *topic = submit->names.names[i];
        int32_t partitions = 0;
        if (!(topics >> i & 1))
            continue;
        int got = kafka_admin_topic_partitions(admin, topic, &partitions, err);
        if (got <= 0)
            return got < 0
                       ? -1
                       : err_set(err, ERR_FATAL, "ctl", "no_topic",
                                 "there is no topic %s; promoctl topics apply creates it", topic);
        for (int32_t p = 0; p < partitions; p++) {
            int64_t low = 0, high = 0;
            if (count == RANGES_MAX)
                return err_set(err, ERR_FATAL, "ctl", "partitions",
                               "the topics of outcomes have more than %d partitions", RANGES_MAX);
            if (kafka_admin_bounds(admin, topic, p, &low, &high, err) < 0)
                return -1;
            ranges[count++] = (struct kafka_range){topic, p, high, KAFKA_READ_ON};
        }
    }
    if (kafka_reader_open(&submit->settings, &submit->reader, err) < 0)
        return -1;
    return kafka_reader_assign(submit->reader, ranges, count, err);
}

static int open_all(struct submit *submit, struct err *err)
{
    CLEANUP(kafka_admin_closep) struct kafka_admin *admin = NULL;

    if (kafka_admin_open(&submit->settings, &admin, err) < 0 ||
        check_topics(submit, admin, err) < 0)
        return -1;
    if (submit->ctl->options.wait && open_reader(submit, admin, err) < 0)
        return -1;
    if (ctl_open_new((size_t)submit->ctl->options.window, &submit->open, err) < 0)
        return -1;
    return kafka_producer_open_plain(&submit->settings, delivered, submit, &submit->producer, err);
}

static void show_progress(struct submit *submit)
{
    int64_t now = clock_mono(&clock_real);
    if (!ctl_progress_on() || now - submit->shown_us < PROGRESS_US)
        return;
    submit->shown_us = now;
    bool wait = submit->ctl->options.wait;
    int64_t done = wait ? submit->answered : submit->sent;
    double elapsed = (double)(now - submit->started_us) / (double)TIME_US_PER_S;
    ctl_progress(wait ? "answered" : "sent", done, submit->lines, (double)done / elapsed);
}

/* Is there a reason to end now? 0 no; 1 the time is over; -1 a stop, or a record was not delivered.
 */
static int check_end(struct submit *submit, struct err *err)
{
    if (signal_stop_requested())
        return err_set(err, ERR_TRANSIENT, "ctl", "stopped", "interrupted");
    if (submit->undelivered) {
        *err = submit->failure;
        return err_wrap(err, "line %" PRId64 " was not published", submit->failed_line);
    }
    if (clock_mono(&clock_real) >= submit->until_us)
        submit->timed_out = true;
    return submit->timed_out;
}

/* Take what outcomes there are, waiting up to wait_ms for a first one. 0, 1 as check_end. */
static int look(struct submit *submit, int wait_ms, struct err *err)
{
    struct err still_open = {0};
    struct kafka_message *message = NULL;
    int got = 0;

    (void)!kafka_producer_flush(submit->producer, 0, &still_open);
    while (submit->reader &&
           (got = kafka_reader_poll(submit->reader, wait_ms, &message, err)) > 0) {
        int offered =
            ctl_open_offer(submit->open, &submit->names, kafka_message_record(message), err);
        kafka_message_free(message);
        message = NULL;
        wait_ms = 0;
        if (offered < 0)
            return -1;
        submit->answered += offered;
    }
    if (got < 0)
        return -1;
    (void)ctl_open_print(submit->open, false, stdout);
    show_progress(submit);
    return check_end(submit, err);
}

/* Before the next line may be sent: await what has to come first. */
static int make_room(struct submit *submit, const struct ctl_line *line, bool topic_changes,
                     struct err *err)
{
    const struct ctl_open *open = submit->open;
    int got = 0;
    while (got == 0 && (ctl_open_full(open) || (topic_changes && ctl_open_unanswered(open) > 0) ||
                        ctl_open_has(open, line->events, line->source, line->id)))
        got = look(submit, POLL_MS, err);
    return got;
}

/* Second pass. 0, or 1 when the time is over. */
static int send_lines(struct submit *submit, struct err *err)
{
    const struct ctl_options *options = &submit->ctl->options;
    int last_topic = -1;
    int got = 0;

    while ((got = ctl_input_next(&submit->input, err)) > 0) {
        struct ctl_line line;
        arena_reset(submit->arena);
        if (ctl_line_parse(submit->arena, &submit->names, submit->input.line, submit->input.len,
                           &line, err) < 0)
            return err_wrap(err, "line %" PRId64 " has changed meanwhile", submit->input.number);
        if (options->wait) {
            bool changes =
                !options->pipeline && last_topic >= 0 && last_topic != (int)line.commands;
            got = make_room(submit, &line, changes, err);
            if (got != 0)
                return got;
            if (ctl_open_add(submit->open, line.commands, line.events, line.source, line.id, err) <
                0)
                return -1;
            last_topic = (int)line.commands;
        }
        if (kafka_producer_send_tagged(submit->producer, &line.record,
                                       (void *)(intptr_t)submit->input.number, err) < 0)
            return err_wrap(err, "line %" PRId64, submit->input.number);
        submit->sent++;
        if (submit->sent % LINES_A_LOOK == 0 && (got = look(submit, 0, err)) != 0)
            return got;
    }
    return got;
}

/* Everything is sent: until all is delivered, or answered. 0, or 1 when the time is over. */
static int await_rest(struct submit *submit, struct err *err)
{
    int got = 0;
    while (got == 0 && submit->reader && ctl_open_unanswered(submit->open) > 0)
        got = look(submit, POLL_MS, err);
    while (got == 0 && !submit->reader) {
        struct err still_open = {0};
        int left = kafka_producer_flush(submit->producer, POLL_MS, &still_open);
        show_progress(submit);
        got = check_end(submit, err);
        if (left == 0)
            break;
    }
    return got;
}

static int run(struct submit *submit, enum ctl_exit *ret_exit, struct err *err)
{
    struct ctl *ctl = submit->ctl;
    int64_t timeout_ms = 0;

    if (ctl_timeout_ms(ctl, 0, &timeout_ms, err) < 0 ||
        ctl_topic_names(ctl, &submit->names, err) < 0 ||
        ctl_kafka_settings(ctl, &submit->settings, err) < 0)
        return -1;
    if (timeout_ms > 0 && !ctl->options.wait)
        return ctl_usage(err, "--timeout without --wait: there is nothing to wait for");
    submit->arena = arena_new(64 * 1024, 0);
    if (!submit->arena)
        return err_nomem(err);
    if (ctl_input_open(&submit->input, ctl->args[0], err) < 0 || check_lines(submit, err) < 0)
        return -1;
    if (submit->lines == 0)
        return ctl_usage(err, "%s holds no command", ctl->args[0]);
    if (open_all(submit, err) < 0)
        return -1;
    submit->started_us = clock_mono(&clock_real);
    submit->until_us =
        timeout_ms > 0 ? submit->started_us + timeout_ms * TIME_US_PER_MS : INT64_MAX;
    int got = send_lines(submit, err);
    if (got == 0)
        got = await_rest(submit, err);
    ctl_progress_clear();
    int64_t missing = submit->lines - submit->answered;
    (void)ctl_open_print(submit->open, true, stdout);
    if (got < 0)
        return -1;
    *ret_exit = CTL_OK;
    if (got > 0) {
        fprintf(stderr,
                "promoctl: the time is over: %" PRId64 " of %" PRId64
                " commands have no outcome yet (%" PRId64 " were not sent)\n",
                missing, submit->lines, submit->lines - submit->sent);
        *ret_exit = CTL_TIMEOUT;
    }
    return 0;
}

int ctl_submit(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err)
{
    struct submit submit = {.ctl = ctl};
    int got = run(&submit, ret_exit, err);
    submit_done(&submit);
    return got;
}
