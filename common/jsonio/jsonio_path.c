/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonio.h"

#include <stdio.h>
#include <string.h>

void jsonio_path_init(struct jsonio_path *path, const char *at)
{
    size_t len = strlen(at);
    path->skipped = len < sizeof(path->text) ? 0 : 1;
    path->len = path->skipped > 0 ? 0 : len;
    memcpy(path->text, at, path->len);
    path->text[path->len] = '\0';
}

/* A token that does not fit hides itself and all below it: the pointer then names a parent. */
static struct jsonio_mark begin(const struct jsonio_path *path)
{
    return (struct jsonio_mark){path->len, path->skipped};
}

static bool put(struct jsonio_path *path, size_t *len, const char *bytes, size_t count)
{
    if (*len + count >= sizeof(path->text))
        return false;
    memcpy(path->text + *len, bytes, count);
    *len += count;
    return true;
}

static void finish(struct jsonio_path *path, bool fits, size_t len)
{
    if (fits)
        path->len = len;
    else
        path->skipped++;
    path->text[path->len] = '\0';
}

struct jsonio_mark jsonio_path_key(struct jsonio_path *path, const char *key)
{
    struct jsonio_mark mark = begin(path);
    size_t len = path->len;
    bool fits = path->skipped == 0 && put(path, &len, "/", 1);
    for (; fits && *key != '\0'; key++) {
        if (*key == '~')
            fits = put(path, &len, "~0", 2);
        else if (*key == '/')
            fits = put(path, &len, "~1", 2);
        else
            fits = put(path, &len, key, 1);
    }
    finish(path, fits, len);
    return mark;
}

struct jsonio_mark jsonio_path_index(struct jsonio_path *path, size_t i)
{
    struct jsonio_mark mark = begin(path);
    char token[24];
    int count = snprintf(token, sizeof(token), "/%zu", i);
    size_t len = path->len;
    bool fits = path->skipped == 0 && put(path, &len, token, (size_t)count);
    finish(path, fits, len);
    return mark;
}

void jsonio_path_back(struct jsonio_path *path, struct jsonio_mark mark)
{
    path->len = mark.len;
    path->skipped = mark.skipped;
    path->text[path->len] = '\0';
}
