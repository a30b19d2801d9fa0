/* SPDX-License-Identifier: Apache-2.0
 *
 * promoctl VERB: finds the verb, reads its options, runs it.
 */
#include "ctl.h"

#include "base_signal.h"

#include <stdio.h>

extern char **environ;

struct verb {
    const char *words[2]; /* the second is NULL for verbs of one word */
    enum ctl_bit bit;
    size_t args_min;
    size_t args_max;
    const char *usage; /* positional arguments */
    const char *about;
    ctl_verb_fn run;
};

static const struct verb verbs[] = {
    {{"migrate", NULL},
     CTL_MIGRATE,
     0,
     0,
     "",
     "Bring the data base's tables up to date.",
     ctl_migrate},
    {{"topics", "apply"},
     CTL_TOPICS_APPLY,
     0,
     0,
     "",
     "Create the fleet's topics and tell where existing ones differ.",
     ctl_topics_apply},
    {{"plan", NULL},
     CTL_PLAN,
     0,
     0,
     "",
     "What a job for so many codes would need and come to; writes nothing.",
     ctl_plan},
    {{"submit", NULL},
     CTL_SUBMIT,
     1,
     1,
     " FILE|-",
     "Publish commands, one structured CloudEvent a line.",
     ctl_submit},
    {{"job", "watch"},
     CTL_JOB_WATCH,
     1,
     1,
     " JOB|CE_ID",
     "Follow a job to its end.",
     ctl_job_watch},
    {{"job", "list"}, CTL_JOB_LIST, 0, 0, "", "The newest jobs.", ctl_job_list},
    {{"code", "show"},
     CTL_CODE_SHOW,
     1,
     1,
     " CODE",
     "A code, what it belongs to and what happened to it.",
     ctl_code_show},
    {{"audit", NULL},
     CTL_AUDIT,
     0,
     0,
     "",
     "Check what must always hold; writes nothing.",
     ctl_audit},
};

static void print_version(FILE *out)
{
    fprintf(out, "promoctl %s (librdkafka %s, libpq %d.%d)\n", PROMOFLEET_VERSION,
            kafka_version_text(), db_client_version() / 10000, db_client_version() % 10000);
}

static void print_help(FILE *out)
{
    fputs("promoctl: the operator's tool of Promofleet\n\n", out);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        char call[64];
        snprintf(call, sizeof call, "%s%s%s%s", verbs[i].words[0], verbs[i].words[1] ? " " : "",
                 verbs[i].words[1] ? verbs[i].words[1] : "", verbs[i].usage);
        fprintf(out, "  promoctl %-22s %s\n", call, verbs[i].about);
    }
    fputs("\n"
          "promoctl VERB --help tells a verb's options; promoctl --version the versions.\n"
          "The servers come from the environment: PGURL and KAFKA_BROKERS, PROMO_TOPIC_PREFIX.\n"
          "\n"
          "Exit codes:\n"
          "    0  done, and all is well\n"
          "    1  the answer is a bad one (an audit's violation, a failed job, a topic that\n"
          "       differs, a code that does not exist, a plan that would be refused), or failed\n"
          "    2  options, arguments or input are wrong; nothing was done\n"
          "    3  PostgreSQL or Kafka does not answer, or does not let us in\n"
          "    4  the time given by --timeout is over\n"
          "  130  interrupted\n",
          out);
}

static const struct verb *find_verb(int argc, char **argv)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(argv[1], verbs[i].words[0]) != 0)
            continue;
        if (!verbs[i].words[1] || (argc > 2 && strcmp(argv[2], verbs[i].words[1]) == 0))
            return &verbs[i];
    }
    return NULL;
}

static bool asks_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/*
 * Options of the fleet's workers stand in the same environment under the same prefix. They are none
 * of our business, so only the variables of our own options reach the table.
 */
static bool is_own_variable(const char *entry)
{
    size_t count = 0;
    const struct conf_option *rows = ctl_option_rows(&count);
    if (strncmp(entry, "PROMO_KAFKA_", 12) == 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        char name[128];
        int len = snprintf(name, sizeof name, "PROMO_%s=", rows[i].name);
        for (char *c = name; *c; c++)
            *c = *c == '.' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        /* A secret also comes from a file. */
        bool file = rows[i].type == CONF_SECRET && strncmp(entry, name, (size_t)len - 1) == 0 &&
                    strncmp(entry + len - 1, "_FILE=", 6) == 0;
        if (file || (!rows[i].flag_only && strncmp(entry, name, (size_t)len) == 0))
            return true;
        size_t env = rows[i].env ? strlen(rows[i].env) : 0;
        if (env && strncmp(entry, rows[i].env, env) == 0 && entry[env] == '=')
            return true;
    }
    return false;
}

static char **own_environment(void)
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **own = calloc(count + 1, sizeof *own);
    if (!own)
        return NULL;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (is_own_variable(environ[i]))
            own[kept++] = environ[i];
    return own;
}

/*
 * Move every --blocked-word out of the arguments: the option table knows no lists. Returns the
 * number of arguments left, or -1.
 */
static int take_blocked_words(struct ctl *ctl, int argc, char **argv, struct err *err)
{
    static const char flag[] = "--blocked-word";
    int kept = 1;
    ctl->blocked_words = calloc((size_t)argc + 1, sizeof *ctl->blocked_words);
    if (!ctl->blocked_words)
        return err_nomem(err);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], flag) == 0 && i + 1 < argc)
            ctl->blocked_words[ctl->blocked_count++] = argv[++i];
        else if (strncmp(argv[i], flag, strlen(flag)) == 0 && argv[i][strlen(flag)] == '=')
            ctl->blocked_words[ctl->blocked_count++] = argv[i] + strlen(flag) + 1;
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

/* 0: go on; 1: --help and the like was answered; -1. argv[0] is the last word of the verb. */
static int read_options(const struct verb *verb, int argc, char **argv, struct ctl *ctl,
                        struct err *err)
{
    /* Borrowed for as long as the options live. */
    static char program[64];
    static struct conf_table table;
    char **own = NULL;

    snprintf(program, sizeof program, "promoctl %s%s%s%s", verb->words[0],
             verb->words[1] ? " " : "", verb->words[1] ? verb->words[1] : "", verb->usage);
    table = (struct conf_table){
        .program = program,
        .about = verb->about,
        .bit = (unsigned)verb->bit,
        .positional = true,
        .version = print_version,
    };
    table.options = ctl_option_rows(&table.option_count);
    if (verb->bit & (CTL_TOPICS_APPLY | CTL_SUBMIT | CTL_AUDIT)) {
        table.pass_prefix = "kafka.";
        table.pass_denied = kafka_conf_denied;
        table.pass_secret = kafka_conf_is_secret;
    }
    if (verb->bit == CTL_PLAN) {
        argc = take_blocked_words(ctl, argc, argv, err);
        if (argc < 0)
            return -1;
    }
    own = own_environment();
    if (!own)
        return err_nomem(err);
    int got = conf_load(&table, argc, argv, own, &ctl->options, stdout, &ctl->conf, err);
    free(own);
    if (got != 0)
        return got;
    ctl->args = ctl->conf.args;
    ctl->arg_count = ctl->conf.arg_count;
    if (ctl->arg_count < verb->args_min || ctl->arg_count > verb->args_max) {
        conf_done(&ctl->conf);
        return ctl_usage(err, "call it as: %s", program);
    }
    return 0;
}

static enum ctl_exit run_verb(const struct verb *verb, int argc, char **argv)
{
    struct ctl ctl = {0};
    struct err err = {0};
    enum ctl_exit code = CTL_OK;

    int got = read_options(verb, argc, argv, &ctl, &err);
    if (got == 0) {
        if (signal_init(&err) < 0 || verb->run(&ctl, &code, &err) < 0)
            got = -1;
        else if (signal_stop_requested() && code != CTL_OK)
            code = CTL_INTERRUPTED;
        conf_done(&ctl.conf);
    }
    if (got < 0) {
        code = ctl_exit_of(&err);
        if (code == CTL_INTERRUPTED)
            fputs("promoctl: interrupted\n", stderr);
        else
            fprintf(stderr, "promoctl: %s\n", err.text);
    }
    free(ctl.blocked_words);
    return code;
}

int main(int argc, char **argv)
{
    if (argc > 1 && asks_help(argv[1])) {
        print_help(stdout);
        return CTL_OK;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        print_version(stdout);
        return CTL_OK;
    }
    const struct verb *verb = argc > 1 ? find_verb(argc, argv) : NULL;
    if (!verb) {
        if (argc > 1)
            fprintf(stderr, "promoctl: there is no verb \"%s%s%s\"; promoctl --help lists them\n",
                    argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
        else
            print_help(stderr);
        return CTL_USAGE;
    }
    int skip = verb->words[1] ? 2 : 1;
    enum ctl_exit code = run_verb(verb, argc - skip, argv + skip);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "promoctl: cannot write to stdout\n");
        return CTL_NEGATIVE;
    }
    return code;
}
