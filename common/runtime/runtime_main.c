/* SPDX-License-Identifier: Apache-2.0
 *
 * From the command line to the loop and back. The order matters: options, log, signals (before any
 * thread is made), metrics, the worker's own start, HTTP, loop; the end in reverse.
 */
#include "base_signal.h"
#include "db_query.h"
#include "metrics_http.h"
#include "runtime_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

#define ARENA_KEEP ((size_t)16 * 1024 * 1024)
#define ARENA_CAP ((size_t)256 * 1024 * 1024)

static void print_version(FILE *out)
{
    int libpq = db_client_version();

    (void)fprintf(out, "promofleet %s\nlibrdkafka %s\nlibpq %d.%d\n", PROMOFLEET_VERSION,
                  kafka_version_text(), libpq / 10000, libpq % 10000);
}

/* On the HTTP server's thread: the state is one word that only the loop writes. */
static unsigned tell_health(void *opaque, struct buf *json)
{
    const struct runtime *runtime = opaque;
    enum runtime_state state = __atomic_load_n(&runtime->state, __ATOMIC_RELAXED);

    buf_printf(json, "{\"state\":\"%s\"}", runtime_state_name(state));
    return 200;
}

static unsigned tell_ready(void *opaque, struct buf *json)
{
    const struct runtime *runtime = opaque;
    enum runtime_state state = __atomic_load_n(&runtime->state, __ATOMIC_RELAXED);

    buf_printf(json, "{\"state\":\"%s\"}", runtime_state_name(state));
    return state == STATE_RUNNING || state == STATE_JOINING ? 200 : 503;
}

static void kafka_line(void *opaque UNUSED, int level, const char *facility, const char *text)
{
    /* What goes wrong is returned to us as errors; librdkafka's own lines are for a second look. */
    enum log_level ours = level <= 3 ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;

    log_at(ours, "librdkafka", LOG_STR("facility", facility), LOG_STR("text", text));
}

static int prepare(struct runtime *runtime, struct conf *conf, struct err *err)
{
    const struct worker *worker = runtime->worker;
    struct log_settings log = LOG_SETTINGS_DEFAULT;

    if (runtime->conf.slot == NULL) {
        (void)snprintf(runtime->slot, sizeof(runtime->slot), "%s-1", worker->kind);
        runtime->conf.slot = runtime->slot;
    }
    log.level = runtime->conf.log_level;
    log.worker = runtime->conf.slot;
    log_init(&log);
    if (signal_init(err) < 0 ||
        metrics_new(runtime_metric_rows, METRIC_COUNT, &runtime_metrics, err) < 0 ||
        msg_topics_init(&runtime->names, runtime->conf.topic_prefix, err) < 0)
        return -1;
    metrics_set(runtime_metrics, METRIC_BUILD_INFO,
                metrics_label(runtime_metrics, METRIC_BUILD_INFO, PROMOFLEET_VERSION), 1);
    for (size_t i = 0; i < worker->topic_count; i++)
        runtime->topics[i] = runtime->names.names[worker->topics[i].topic];
    (void)snprintf(runtime->group, sizeof(runtime->group), "%s.%s", runtime->conf.topic_prefix,
                   worker->kind);
    (void)snprintf(runtime->app_name, sizeof(runtime->app_name), "promofleet/%s",
                   runtime->conf.slot);
    (void)snprintf(runtime->event_source, sizeof(runtime->event_source), "promofleet/%s",
                   worker->kind);
    runtime->kafka = (struct kafka_settings){
        .brokers = runtime->conf.brokers,
        .client_id = runtime->conf.slot,
        .group = runtime->group,
        .slot = runtime->conf.slot,
        /* the same struct by layout and meaning; conf and kafka are of layers that do not meet */
        .properties = (const struct kafka_pair *)(const void *)conf->pairs,
        .property_count = conf->pair_count,
        .session_timeout_ms = runtime->conf.session_timeout_ms,
        .log = kafka_line,
    };
    _Static_assert(sizeof(struct kafka_pair) == sizeof(struct conf_pair) &&
                       offsetof(struct kafka_pair, value) == offsetof(struct conf_pair, value),
                   "conf_pair and kafka_pair are alike");
    if (kafka_conf_check(&runtime->kafka, err) < 0)
        return -1;
    runtime->outage.name = "servers";
    runtime->arena = arena_new(ARENA_KEEP, ARENA_CAP);
    runtime->sources = store_source_new(0);
    runtime->gathered = calloc(RUNTIME_BATCH_MAX, sizeof(*runtime->gathered));
    runtime->items = calloc(RUNTIME_BATCH_MAX, sizeof(*runtime->items));
    if (runtime->arena == NULL || runtime->sources == NULL || runtime->gathered == NULL ||
        runtime->items == NULL)
        return err_nomem(err);
    return 0;
}

static void release(struct runtime *runtime)
{
    free(runtime->items);
    free(runtime->gathered);
    free(runtime->outbox.records);
    store_source_free(runtime->sources);
    arena_free(runtime->arena);
    metrics_free(runtime_metrics);
    runtime_metrics = NULL;
    log_done();
}

static int start(struct runtime *runtime, struct metrics_http **http, struct err *err)
{
    struct metrics_http_settings settings = {.address = runtime->conf.http_listen,
                                             .metrics = runtime_metrics,
                                             .health = tell_health,
                                             .ready = tell_ready,
                                             .opaque = runtime};

    if (runtime->worker->start != NULL &&
        runtime->worker->start(runtime, &runtime->worker_state, err) < 0)
        return -1;
    return metrics_http_open(&settings, http, err);
}

int runtime_main(const struct worker *worker, int argc, char **argv)
{
    static struct runtime runtime; /* large, and one per process */
    struct conf_table table;
    struct conf conf;
    struct err err = {0};
    struct metrics_http *http = NULL;
    int code = RUNTIME_EXIT_CONFIG;

    runtime.worker = worker;
    runtime.state = STATE_STARTING;
    runtime_conf_table(worker->programs, worker->about, &table);
    table.version = print_version;
    int loaded = conf_load(&table, argc, argv, environ, &runtime.conf, stdout, &conf, &err);

    if (loaded > 0)
        return RUNTIME_EXIT_OK;
    if (loaded < 0) {
        (void)fprintf(stderr, "%s: %s\n", table.program, err.text);
        return RUNTIME_EXIT_CONFIG;
    }
    if (prepare(&runtime, &conf, &err) < 0 || start(&runtime, &http, &err) < 0) {
        log_err(LOG_LEVEL_ERROR, "cannot_start", &err);
    } else {
        log_info("started", LOG_STR("version", PROMOFLEET_VERSION),
                 LOG_STR("librdkafka", kafka_version_text()), LOG_INT("libpq", db_client_version()),
                 LOG_INT("http_port", metrics_http_port(http)));
        code = runtime_loop(&runtime);
    }
    metrics_http_close(http);
    if (worker->stop != NULL && runtime.worker_state != NULL)
        worker->stop(runtime.worker_state);
    release(&runtime);
    conf_done(&conf);
    return code;
}

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

const struct msg_topics *runtime_names(const struct runtime *runtime)
{
    return &runtime->names;
}

bool runtime_holds(const struct runtime *runtime, enum msg_topic topic, int32_t partition)
{
    for (size_t i = 0; i < runtime->partition_count; i++) {
        const struct partition *held = &runtime->partitions[i];

        if (held->number == partition && strcmp(held->topic, runtime->names.names[topic]) == 0)
            return true;
    }
    return false;
}
