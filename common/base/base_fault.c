/* SPDX-License-Identifier: Apache-2.0 */
#include "base_fault.h"

#ifdef FLEET_FAULTS
#include "base_parse.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    bool read;
    char text[512];
    const char *name;
    const char *action;
    const char *marker;
    int64_t nth;
    int64_t seen;
} fault;

static void read_plan(void)
{
    const char *text = getenv("FLEET_FAULT");
    char *rest = NULL;

    fault.read = true;
    if (text == NULL || strlen(text) >= sizeof(fault.text))
        return;
    memcpy(fault.text, text, strlen(text) + 1);
    const char *name = strtok_r(fault.text, ":", &rest);
    const char *nth = strtok_r(NULL, ":", &rest);

    fault.action = strtok_r(NULL, ":", &rest);
    fault.marker = strtok_r(NULL, ":", &rest);
    if (nth != NULL && fault.action != NULL &&
        parse_int64(nth, 1, INT64_MAX, &fault.nth, NULL) == 0)
        fault.name = name;
}

static bool matches(const char *name, const char *id)
{
    size_t len = strlen(name);

    if (fault.name == NULL || strncmp(fault.name, name, len) != 0)
        return false;
    if (id == NULL)
        return fault.name[len] == '\0';
    return fault.name[len] == '=' && strcmp(fault.name + len + 1, id) == 0;
}

static bool first_time(void)
{
    if (fault.marker == NULL)
        return true;
    int fd = open(fault.marker, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

    if (fd < 0)
        return false;
    (void)close(fd);
    return true;
}

void fault_point_hit(const char *name, const char *id)
{
    int64_t ms = 0;

    if (!fault.read)
        read_plan();
    if (!matches(name, id) || ++fault.seen != fault.nth || !first_time())
        return;
    if (strcmp(fault.action, "kill") == 0)
        (void)kill(getpid(), SIGKILL);
    else if (strcmp(fault.action, "stop") == 0)
        (void)kill(getpid(), SIGSTOP);
    else if (strcmp(fault.action, "exit") == 0)
        _exit(1);
    else if (strncmp(fault.action, "sleep", 5) == 0 &&
             parse_int64(fault.action + 5, 0, 600000, &ms, NULL) == 0)
        (void)poll(NULL, 0, (int)ms);
}
#else
/* A file without a declaration is no C. */
extern int fault_points_are_off;
#endif
