/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical form that is hashed. Every value starts with a letter of its type, texts and
 * containers with their length, so that no two trees have the same form:
 *
 *   n  t  f            null, true, false
 *   #TEXT;             a number: decimal when it is an integer, else 17 significant digits
 *   "LEN BYTES         a text; LEN is 32 bits, network byte order
 *   [COUNT item ...    an array
 *   {COUNT key value   an object, members sorted by the bytes of their keys
 */
#include "base_buf.h"
#include "base_digest.h"
#include "jsonio.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS_ON_STACK 24

struct member {
    const char *key;
    const struct json_object *value;
};

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void put_text(struct buf *buf, const char *text, size_t len)
{
    buf_add_be32(buf, (uint32_t)len);
    buf_add(buf, text, len);
}

static void put_node(struct buf *buf, const struct json_object *node);

static void put_object(struct buf *buf, const struct json_object *node)
{
    struct member few[MEMBERS_ON_STACK];
    size_t count = jsonio_length(node);
    struct member *members =
        count <= ARRAY_LEN(few) ? few : reallocarray(NULL, count, sizeof(*members));
    if (members == NULL) {
        buf->failed = true;
        return;
    }
    size_t n = 0;
    JSONIO_EACH (it, node)
        members[n++] = (struct member){it.key, it.value};
    qsort(members, n, sizeof(*members), compare_members);
    buf_add_char(buf, '{');
    buf_add_be32(buf, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        put_text(buf, members[i].key, strlen(members[i].key));
        put_node(buf, members[i].value);
    }
    if (members != few)
        free(members);
}

static void put_node(struct buf *buf, const struct json_object *node)
{
    switch (jsonio_type(node)) {
    case JSONIO_NULL:
        buf_add_char(buf, 'n');
        break;
    case JSONIO_BOOL:
        buf_add_char(buf, jsonio_bool(node) ? 't' : 'f');
        break;
    case JSONIO_INT:
        buf_printf(buf, "#%lld;", (long long)jsonio_int(node));
        break;
    case JSONIO_NUMBER:
        buf_printf(buf, "#%.17g;", jsonio_double(node));
        break;
    case JSONIO_TEXT: {
        size_t len;
        const char *text = jsonio_text(node, &len);
        buf_add_char(buf, '"');
        put_text(buf, text, len);
        break;
    }
    case JSONIO_ARRAY:
        buf_add_char(buf, '[');
        buf_add_be32(buf, (uint32_t)jsonio_length(node));
        for (size_t i = 0; i < jsonio_length(node); i++)
            put_node(buf, jsonio_item(node, i));
        break;
    case JSONIO_OBJECT:
        put_object(buf, node);
        break;
    }
}

int jsonio_canonical_hash(const char *label, const struct json_object *root,
                          uint8_t out[JSONIO_HASH_LEN], struct err *err)
{
    struct buf buf CLEANUP(buf_done);
    uint8_t digest[DIGEST_SHA256_LEN];
    buf_init(&buf);
    buf_add(&buf, label, strlen(label) + 1);
    put_node(&buf, root);
    if (buf_failed(&buf))
        return err_nomem(err);
    digest_sha256(buf.data, buf.len, digest);
    memcpy(out, digest, JSONIO_HASH_LEN);
    return 0;
}
