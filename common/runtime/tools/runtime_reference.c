/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the reference pages that are generated from tables: `runtime_reference configuration` and
 * `runtime_reference metrics`. ops/docs/reference writes them, a test compares.
 */
#include "base_buf.h"
#include "runtime_conf.h"
#include "runtime_metrics.h"

#include <stdio.h>
#include <string.h>

static void configuration(void)
{
    struct conf_table table;

    (void)puts(
        "# Configuration\n\nGenerated from the option table in `common/runtime/runtime_conf.c`; "
        "`ops/docs/reference` writes this page.\n");
    runtime_conf_table(RUNTIME_PROGRAM_CAMPAIGN, "", &table);
    conf_print_markdown(&table, stdout);
}

static void metrics(void)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text);
    metrics_markdown(runtime_metric_rows, METRIC_COUNT, &text);
    (void)printf("# Metrics\n\nGenerated from the table in `common/runtime/runtime_metrics.c`; "
                 "`ops/docs/reference` writes this page.\n\n%s",
                 text.data);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "configuration") == 0)
        configuration();
    else if (argc == 2 && strcmp(argv[1], "metrics") == 0)
        metrics();
    else
        return 2;
    return 0;
}
