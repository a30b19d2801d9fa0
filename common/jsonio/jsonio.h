/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict JSON (RFC 8259) on json-c: bytes to tree, and typed reading of the tree.
 *
 * jsonio_parse() takes what every JSON reader understands alike, and nothing else. Beyond the
 * grammar it refuses: bytes that are not UTF-8, a byte-order mark, more than JSONIO_DEPTH_MAX
 * levels, bytes behind the value, NaN and Infinity, two equal keys in an object (compared after
 * unescaping), U+0000 in keys and values, lone surrogates, and numbers beyond +-(2^53 - 1).
 *
 * A number is an integer when its value is one, as JSON Schema has it: 1, 1.0 and 1e3 are integers,
 * 1.5 is not.
 *
 * Nodes are json-c's struct json_object; a NULL node is JSON's null. The root is owned by the
 * caller, everything below it (texts too) lives as long as the root. Texts never hold a NUL.
 *
 * Errors are ERR_POISON, domain "json", with the JSON Pointer of the offending place; a pointer too
 * long for struct err names the nearest parent that fits. Codes of parsing: too_large, bad_utf8,
 * bad_json, too_deep, duplicate_key, nul_character, lone_surrogate, number_out_of_range. Codes of
 * reading: required, wrong_type, out_of_range, too_long.
 */
#ifndef JSONIO_H
#define JSONIO_H

#include "base_attr.h"
#include "base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSONIO_DEPTH_MAX 32
#define JSONIO_INT_MAX INT64_C(9007199254740991) /* 2^53 - 1; the least is its negative */
#define JSONIO_HASH_LEN 16

struct json_object;

/* The root of len bytes; ERR_POISON too_large when len > max_len. ERR_TRANSIENT: out of memory. */
int jsonio_parse(const void *bytes, size_t len, size_t max_len, struct json_object **ret_root,
                 struct err *err) MUST_CHECK;
void jsonio_free(struct json_object *root); /* takes NULL */
DEFINE_CLEANUP(struct json_object, jsonio_free)

/* A node that outlives its root: the caller gets a share of it, to be given back by jsonio_free().
 */
struct json_object *jsonio_share(struct json_object *node);

enum jsonio_type {
    JSONIO_NULL,
    JSONIO_BOOL,
    JSONIO_INT,    /* a number whose value is an integer */
    JSONIO_NUMBER, /* any other number                   */
    JSONIO_TEXT,
    JSONIO_ARRAY,
    JSONIO_OBJECT,
};
enum jsonio_type jsonio_type(const struct json_object *node);
const char *jsonio_type_name(enum jsonio_type type); /* "null", "boolean", "integer", ... */

/* The value of a node of the right type (anything else is our own mistake). */
bool jsonio_bool(const struct json_object *node);
int64_t jsonio_int(const struct json_object *node);
double jsonio_double(const struct json_object *node);                     /* JSONIO_INT too */
const char *jsonio_text(const struct json_object *node, size_t *ret_len); /* ret_len may be NULL */
size_t jsonio_length(const struct json_object *node); /* items of an array, members of an object */
struct json_object *jsonio_item(const struct json_object *array, size_t i);
/* Is there a member of that name? *ret_value may be NULL for a null. */
bool jsonio_member(const struct json_object *object, const char *name,
                   struct json_object **ret_value);

/* Members in the order of the text: JSONIO_EACH (it, object) { it.key, it.value } */
struct jsonio_iter {
    const char *key;
    struct json_object *value;
    const void *next; /* private */
};
struct jsonio_iter jsonio_first(const struct json_object *object);
bool jsonio_next(struct jsonio_iter *iter);
#define JSONIO_EACH(it, object)                                                                    \
    for (struct jsonio_iter it = jsonio_first(object); jsonio_next(&it);)

/*
 * Typed members of an object that stands at the JSON Pointer `at` ("" for the root): 1 and the
 * value, 0 when the member is absent or null, -1 when it is anything else. The _required ones
 * return 0, or -1.
 */
int jsonio_get_int(const struct json_object *object, const char *at, const char *name, int64_t min,
                   int64_t max, int64_t *ret_value, struct err *err) MUST_CHECK;
int jsonio_get_bool(const struct json_object *object, const char *at, const char *name,
                    bool *ret_value, struct err *err) MUST_CHECK;
/* At most max_len bytes; borrowed from the tree. */
int jsonio_get_text(const struct json_object *object, const char *at, const char *name,
                    size_t max_len, const char **ret_text, struct err *err) MUST_CHECK;
/* type: JSONIO_OBJECT or JSONIO_ARRAY. */
int jsonio_get_node(const struct json_object *object, const char *at, const char *name,
                    enum jsonio_type type, struct json_object **ret_node,
                    struct err *err) MUST_CHECK;
int jsonio_require_int(const struct json_object *object, const char *at, const char *name,
                       int64_t min, int64_t max, int64_t *ret_value, struct err *err) MUST_CHECK;
int jsonio_require_text(const struct json_object *object, const char *at, const char *name,
                        size_t max_len, const char **ret_text, struct err *err) MUST_CHECK;

/*
 * A JSON Pointer (RFC 6901) while walking down. What does not fit is left off from the right, whole
 * tokens at a time; pop with the length that push returned.
 */
struct jsonio_path {
    char text[128];
    size_t len;
    unsigned skipped; /* tokens that did not fit */
};
struct jsonio_mark {
    size_t len;
    unsigned skipped;
};
void jsonio_path_init(struct jsonio_path *path, const char *at);
struct jsonio_mark jsonio_path_key(struct jsonio_path *path, const char *key);
struct jsonio_mark jsonio_path_index(struct jsonio_path *path, size_t i);
void jsonio_path_back(struct jsonio_path *path, struct jsonio_mark mark);

/* Well-formed UTF-8 without surrogates? */
bool jsonio_utf8_valid(const void *bytes, size_t len);
/* Code points of valid UTF-8. */
size_t jsonio_utf8_count(const char *text, size_t len);

/*
 * A hash of label (with its closing NUL) and tree that does not depend on the order of keys, on
 * white space, on escapes, nor on how a number is written. SHA-256, cut to 16 bytes. -1: out of
 * memory.
 */
int jsonio_canonical_hash(const char *label, const struct json_object *root,
                          uint8_t out[JSONIO_HASH_LEN], struct err *err) MUST_CHECK;

#endif
