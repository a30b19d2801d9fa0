/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl_input.h"

#include "base_signal.h"
#include "ctl.h"
#include "ctl_line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_to_file(int from, const char *path, FILE **ret_file, struct err *err)
{
    char bytes[65536];
    FILE *file = tmpfile();

    if (!file)
        return err_errno(err, ERR_FATAL, "ctl", errno, "make a temporary file");
    for (;;) {
        struct pollfd fds[2] = {{.fd = from, .events = POLLIN},
                                {.fd = signal_fd(), .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (signal_stop_requested()) {
            fclose(file);
            return err_set(err, ERR_TRANSIENT, "ctl", "stopped", "interrupted");
        }
        if (!fds[0].revents)
            continue;
        ssize_t got = read(from, bytes, sizeof bytes);
        if (got == 0 && fflush(file) == 0) {
            rewind(file);
            *ret_file = file;
            return 0;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || fwrite(bytes, 1, (size_t)got, file) != (size_t)got)
            break;
    }
    err_errno(err, ERR_FATAL, "ctl", errno, "copy %s", path);
    fclose(file);
    return -1;
}

int ctl_input_open(struct ctl_input *input, const char *path, struct err *err)
{
    struct stat stat;
    *input = (struct ctl_input){0};
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return ctl_usage(err, "cannot open %s: %s", path, strerror(errno));
    int got = 0;
    if (fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode)) {
        got = ctl_usage(err, "%s is a directory", path);
    } else if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || standard) {
        got = copy_to_file(fd, standard ? "standard input" : path, &input->file, err);
    } else {
        input->file = fdopen(fd, "r");
        if (input->file)
            return 0;
        got = err_errno(err, ERR_FATAL, "ctl", errno, "open %s", path);
    }
    if (!standard)
        close(fd);
    return got;
}

int ctl_input_next(struct ctl_input *input, struct err *err)
{
    for (;;) {
        errno = 0;
        ssize_t got = getline(&input->line, &input->room, input->file);
        if (got < 0) {
            if (feof(input->file))
                return 0;
            return err_errno(err, ERR_FATAL, "ctl", errno, "read line %lld",
                             (long long)input->number + 1);
        }
        input->number++;
        size_t len = (size_t)got;
        while (len > 0 && (input->line[len - 1] == '\n' || input->line[len - 1] == '\r'))
            len--;
        input->line[len] = '\0';
        input->len = len;
        if (strspn(input->line, " \t") < len)
            return 1;
    }
}

int ctl_input_rewind(struct ctl_input *input, struct err *err)
{
    if (fseeko(input->file, 0, SEEK_SET) != 0)
        return err_errno(err, ERR_FATAL, "ctl", errno, "go back to the first line");
    input->number = 0;
    return 0;
}

void ctl_input_done(struct ctl_input *input)
{
    if (input->file)
        fclose(input->file);
    free(input->line);
    *input = (struct ctl_input){0};
}
