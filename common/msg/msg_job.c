/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of jobs: what starts and steers them, what moves them on, and their events.
 */
#include "msg_job.h"

#include "msg_tables.h"

/* --- generate --------------------------------------------------------------------------------- */

static const struct msg_field code_format_rows[] = {
    MSG_INTEGER(struct msg_code_format, length, "length", MSG_REQUIRED, 1, 64, 0,
                "Number of random characters."),
    MSG_TEXT(struct msg_code_format, charset, "charset", 0, MSG_FORM_ANY, 1, 128,
             "A named set (crockford, digits, letters, alnum) or explicit characters such as "
             "A-Z2-9. Absent: crockford."),
    MSG_TEXT(struct msg_code_format, prefix, "prefix", 0, MSG_FORM_LINE, 0, 32,
             "Literal text in front."),
    MSG_TEXT(struct msg_code_format, suffix, "suffix", 0, MSG_FORM_LINE, 0, 32,
             "Literal text behind."),
    MSG_INTEGER(struct msg_code_format, dash_every, "dash_every", 0, 1, 16, 0,
                "A dash after every so many characters. Absent: none."),
};
static const struct msg_table code_format_table = {
    .help = "A pattern as length, characters and decoration.",
    .size = sizeof(struct msg_code_format),
    MSG_ROWS(code_format_rows),
};

static const struct msg_field generate_rows[] = {
    MSG_ID(struct msg_generate, coupon, "coupon", MSG_REQUIRED, "The coupon that gets the codes."),
    MSG_INTEGER(struct msg_generate, count, "count", MSG_REQUIRED, 1, 2000000000, 0,
                "Number of codes, made exactly."),
    MSG_TEXT(struct msg_generate, pattern, "pattern", 0, MSG_FORM_ANY, 1, 200,
             "What the codes look like. With neither pattern nor format: the coupon's pattern, "
             "else the fleet's default."),
    MSG_POINTER(struct msg_generate, format, "format", 0, &code_format_table,
                "The pattern as length, characters and decoration; not together with pattern."),
    MSG_BOOLEAN(struct msg_generate, check, "check", 0, false, "Append a check character."),
    MSG_TEXTS(struct msg_generate, blocked_words, "blocked_words", 0, MSG_FORM_LINE, 0, 100, 2, 32,
              "Words that no code may contain, besides the fleet's list."),
    MSG_OPT_INTEGER(struct msg_generate, max_uses, "max_uses", MSG_NULLABLE, 1, MSG_INT32_MAX,
                    "Uses of a code in total; null: unlimited; absent: as the coupon says."),
    MSG_OPT_INTEGER(struct msg_generate, per_customer, "per_customer", 0, 1, MSG_INT32_MAX,
                    "Uses of a code per customer; absent: as the coupon says."),
    MSG_BOOLEAN(struct msg_generate, active, "active", 0, true,
                "Codes that are not active are refused."),
    MSG_OPT_TIME(struct msg_generate, starts_at, "starts_at", MSG_NULLABLE,
                 "First moment at which the codes are valid."),
    MSG_OPT_TIME(struct msg_generate, ends_at, "ends_at", MSG_NULLABLE,
                 "First moment at which the codes are valid no more, after starts_at."),
    MSG_BOOLEAN(struct msg_generate, allow_guessable, "allow_guessable", 0, false,
                "Go ahead although a guess would hit more often than one in ten million."),
    MSG_INTEGER(struct msg_generate, priority, "priority", 0, 1, 16, 4,
                "How many of the job's 16 lanes are worked on at once."),
};

static void check_generate(const void *data, struct msg_check *check)
{
    const struct msg_generate *generate = data;
    if (generate->pattern != NULL && generate->format != NULL)
        msg_check_fail(check, MSG_REASON_CONFLICT, "format",
                       "Either pattern or format may be given.");
    msg_check_window(check, &generate->starts_at, &generate->ends_at);
}

const struct msg_table msg_table_generate = {
    .help = "Generate codes of a coupon, as a job.",
    .size = sizeof(struct msg_generate),
    MSG_ROWS(generate_rows),
    .check = check_generate,
    .rules = "\"not\":{\"required\":[\"pattern\",\"format\"]}",
};

/* --- export, cancel --------------------------------------------------------------------------- */

static const char *const export_formats[] = {"csv", NULL};

static const struct msg_field export_rows[] = {
    MSG_ID(struct msg_export, campaign, "campaign", 0,
           "Export what belongs to this campaign. Either this or coupon."),
    MSG_ID(struct msg_export, coupon, "coupon", 0, "Export what belongs to this coupon."),
    MSG_BOOLEAN(struct msg_export, include_descendants, "include_descendants", 0, true,
                "And to the campaigns below it. Not together with coupon."),
    MSG_CHOICE(struct msg_export, format, enum msg_export_format, "format", 0, export_formats,
               MSG_EXPORT_CSV, "Format of the files."),
};

static void check_export(const void *data, struct msg_check *check)
{
    const struct msg_export *export = data;
    if (export->campaign == NULL && export->coupon == NULL)
        msg_check_fail(check, MSG_REASON_REQUIRED, "campaign", "Give a campaign or a coupon.");
    else if (export->campaign != NULL && export->coupon != NULL)
        msg_check_fail(check, MSG_REASON_CONFLICT, "coupon",
                       "Either campaign or coupon may be given.");
    else if (export->coupon != NULL && msg_check_seen(check, "include_descendants"))
        msg_check_fail(check, MSG_REASON_CONFLICT, "include_descendants",
                       "The field belongs to exports of a campaign.");
}

const struct msg_table msg_table_export = {
    .help = "Export the codes or the redemptions of a campaign or coupon, as a job.",
    .size = sizeof(struct msg_export),
    MSG_ROWS(export_rows),
    .check = check_export,
    .rules = "\"oneOf\":[{\"required\":[\"campaign\"],\"properties\":{\"coupon\":false}},"
             "{\"required\":[\"coupon\"],\"properties\":{\"campaign\":false,"
             "\"include_descendants\":false}}]",
};

static const struct msg_field job_cancel_rows[] = {
    MSG_TEXT(struct msg_job_cancel, job, "job", MSG_REQUIRED, MSG_FORM_UUID, 36, 36,
             "The job's id, as its events tell it."),
};
const struct msg_table msg_table_job_cancel = {
    .help = "Cancel a job; what it has done so far is kept.",
    .size = sizeof(struct msg_job_cancel),
    MSG_ROWS(job_cancel_rows),
};

/* --- internal --------------------------------------------------------------------------------- */

static const struct msg_field token_rows[] = {
    MSG_TEXT(struct msg_token, job, "job", MSG_REQUIRED, MSG_FORM_UUID, 36, 36, "The job."),
    MSG_INTEGER(struct msg_token, lane, "lane", MSG_REQUIRED, 0, MSG_LANES, 0,
                "The lane; 16 is the overflow."),
    MSG_INTEGER(struct msg_token, n, "n", MSG_REQUIRED, 0, MSG_INT32_MAX, 0,
                "The chunk of the lane that is to be done."),
    MSG_INTEGER(struct msg_token, epoch, "epoch", MSG_REQUIRED, 0, MSG_INT32_MAX, 0,
                "The lane's epoch; tokens of an older one are dropped."),
};
const struct msg_table msg_table_token = {
    .help = "Whoever takes this token does the chunk and publishes the next token.",
    .size = sizeof(struct msg_token),
    MSG_ROWS(token_rows),
    .open = true,
};

static const struct msg_field snapshot_due_rows[] = {
    MSG_ID(struct msg_snapshot_due, campaign, "campaign", MSG_REQUIRED, "The campaign."),
    MSG_INTEGER(struct msg_snapshot_due, due, "due", MSG_REQUIRED, 0, JSONIO_INT_MAX, 0,
                "Number of this timer: the same one is served once."),
};
const struct msg_table msg_table_snapshot_due = {
    .help = "Publish the campaign's metrics.",
    .size = sizeof(struct msg_snapshot_due),
    MSG_ROWS(snapshot_due_rows),
    .open = true,
};

/* --- events ----------------------------------------------------------------------------------- */

static const struct msg_field reason_rows[] = {
    MSG_TEXT(struct msg_reason, code, "code", MSG_REQUIRED, MSG_FORM_NAME, 1, 31,
             "Stable name of the reason; reasons.json lists them."),
    MSG_TEXT(struct msg_reason, pointer, "pointer", 0, MSG_FORM_ANY, 0, 127,
             "JSON Pointer into the command's data; absent: the command as a whole."),
    MSG_TEXT(struct msg_reason, message, "message", MSG_REQUIRED, MSG_FORM_ANY, 0, 1000,
             "A sentence for people; may change."),
    MSG_INSTANT(struct msg_reason, next_at_us, "next_at", 0, "When it would next pass, if known."),
};
const struct msg_table msg_table_reason = {
    .help = "Why something was refused.",
    .size = sizeof(struct msg_reason),
    MSG_ROWS(reason_rows),
    .open = true,
};

static const char *const job_kinds[] = {"codes_generate", "codes_export", "redemptions_export",
                                        NULL};
static const char *const job_states[] = {"running", "paused",    "completed",
                                         "failed",  "cancelled", NULL};

#define COUNT(S, member, name, text) MSG_OPT_INTEGER(S, member, name, 0, 0, JSONIO_INT_MAX, text)
#define JOB_ROWS(S)                                                                                \
    MSG_TEXT(S, job, "job", MSG_REQUIRED, MSG_FORM_UUID, 36, 36, "The job's id."),                 \
        MSG_CHOICE(S, kind, enum msg_job_kind, "kind", MSG_REQUIRED, job_kinds, 0,                 \
                   "What the job does."),                                                          \
        MSG_CHOICE(S, state, enum msg_job_state, "state", MSG_REQUIRED, job_states, 0,             \
                   "The job's state now."),                                                        \
        MSG_INTEGER(S, total, "total", MSG_REQUIRED, 0, JSONIO_INT_MAX, 0,                         \
                    "What is to be done: codes or rows."),                                         \
        MSG_INTEGER(S, done, "done", MSG_REQUIRED, 0, JSONIO_INT_MAX, 0, "What is done so far.")

static const struct msg_field job_event_rows[] = {
    JOB_ROWS(struct msg_job_event),
    MSG_ID(struct msg_job_event, campaign, "campaign", 0, "The campaign that the job is about."),
    MSG_ID(struct msg_job_event, coupon, "coupon", 0, "The coupon that the job is about."),
    MSG_OPT_INTEGER(struct msg_job_event, batch, "batch", 0, 1, MSG_INT32_MAX,
                    "The batch of the generated codes."),
    MSG_TEXT(struct msg_job_event, pattern, "pattern", 0, MSG_FORM_ANY, 1, 1024,
             "The pattern in force, decided when the job was accepted."),
    MSG_TEXT(struct msg_job_event, capacity, "capacity", 0, MSG_FORM_DECIMAL, 1, 40,
             "Number of codes that the pattern spans, as decimal digits."),
    MSG_TEXT(struct msg_job_event, guess_odds, "guess_odds", 0, MSG_FORM_DECIMAL, 1, 40,
             "Guesses per hit when the job is done, as decimal digits."),
    MSG_OPT_INTEGER(struct msg_job_event, priority, "priority", 0, 1, MSG_LANES,
                    "How many lanes are worked on at once."),
    COUNT(struct msg_job_event, rows, "rows", "Rows made or written in all."),
    COUNT(struct msg_job_event, redrawn, "redrawn",
          "Codes that had to be drawn again: taken, or with a blocked word."),
    COUNT(struct msg_job_event, parts, "parts", "Files of the export."),
    COUNT(struct msg_job_event, bytes, "bytes", "Bytes of all files of the export."),
    MSG_TEXT(struct msg_job_event, manifest, "manifest", 0, MSG_FORM_LINE, 1, 4096,
             "Where the export's manifest lies."),
    MSG_TEXT(struct msg_job_event, checksum, "checksum", 0, MSG_FORM_DECIMAL, 1, 20,
             "Keyed checksum of what was made, independent of its order, as decimal digits."),
    COUNT(struct msg_job_event, rate_per_s, "rate_per_s", "Rate so far."),
    COUNT(struct msg_job_event, eta_s, "eta_s", "Estimate of the time that is left."),
    COUNT(struct msg_job_event, elapsed_ms, "elapsed_ms", "Time since the job was accepted."),
    MSG_TEXTS(struct msg_job_event, warnings, "warnings", 0, MSG_FORM_ANY, 0, 16, 1, 1000,
              "Sentences for people."),
    MSG_LIST(struct msg_job_event, reasons, "reasons", 0, 0, MSG_REASONS_LISTED, &msg_table_reason,
             "Why the job failed or was cancelled."),
};
const struct msg_table msg_table_job_event = {
    .help = "How far a job is.",
    .size = sizeof(struct msg_job_event),
    MSG_ROWS(job_event_rows),
    .open = true,
};

static const struct msg_field job_steered_rows[] = {
    JOB_ROWS(struct msg_job_steered),
};
const struct msg_table msg_table_job_steered = {
    .help = "A job was cancelled as asked for.",
    .size = sizeof(struct msg_job_steered),
    MSG_ROWS(job_steered_rows),
    .open = true,
};
