/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonio.h"

#include "jsonio_internal.h"

#include <assert.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <string.h>

int jsonio_parse(const void *bytes, size_t len, size_t max_len, struct json_object **ret_root,
                 struct err *err)
{
    if (len > max_len || len >= INT_MAX)
        return err_set(err, ERR_POISON, "json", "too_large", "%zu bytes, but %zu are allowed", len,
                       max_len);
    struct jsonio_span span;
    if (jsonio_scan(bytes, len, &span, err) < 0)
        return -1;
    struct json_tokener *tokener = json_tokener_new_ex(JSONIO_DEPTH_MAX + 2);
    if (tokener == NULL)
        return err_nomem(err);
    const char *text = (const char *)bytes + span.from;
    size_t text_len = span.to - span.from;
    struct json_object *root = json_tokener_parse_ex(tokener, text, (int)text_len);
    enum json_tokener_error failed = json_tokener_get_error(tokener);
    size_t used = json_tokener_get_parse_end(tokener);
    if (failed == json_tokener_continue) { /* a number might go on, for all json-c knows */
        root = json_tokener_parse_ex(tokener, "", 1);
        failed = json_tokener_get_error(tokener);
    }
    json_tokener_free(tokener);
    if (failed != json_tokener_success) {
        json_object_put(root);
        return err_set(err, ERR_POISON, "json", "bad_json", "%s", json_tokener_error_desc(failed));
    }
    /* json-c 0.16 tells of a failed allocation by stopping early, with what it had so far */
    if (used != text_len || (root == NULL) != (text[0] == 'n')) {
        json_object_put(root);
        return err_nomem(err);
    }
    *ret_root = root;
    return 0;
}

void jsonio_free(struct json_object *root)
{
    json_object_put(root);
}

struct json_object *jsonio_share(struct json_object *node)
{
    return json_object_get(node);
}

static bool is_integral(double value)
{
    return isfinite(value) && value == floor(value) && fabs(value) <= (double)JSONIO_INT_MAX;
}

enum jsonio_type jsonio_type(const struct json_object *node)
{
    switch (json_object_get_type(node)) {
    case json_type_null:
        return JSONIO_NULL;
    case json_type_boolean:
        return JSONIO_BOOL;
    case json_type_int:
        return JSONIO_INT;
    case json_type_double:
        return is_integral(json_object_get_double(node)) ? JSONIO_INT : JSONIO_NUMBER;
    case json_type_string:
        return JSONIO_TEXT;
    case json_type_array:
        return JSONIO_ARRAY;
    case json_type_object:
        return JSONIO_OBJECT;
    }
    return JSONIO_NULL;
}

const char *jsonio_type_name(enum jsonio_type type)
{
    switch (type) {
    case JSONIO_NULL:
        return "null";
    case JSONIO_BOOL:
        return "boolean";
    case JSONIO_INT:
        return "integer";
    case JSONIO_NUMBER:
        return "number";
    case JSONIO_TEXT:
        return "string";
    case JSONIO_ARRAY:
        return "array";
    case JSONIO_OBJECT:
        return "object";
    }
    return "unknown";
}

bool jsonio_bool(const struct json_object *node)
{
    assert(json_object_is_type(node, json_type_boolean));
    return json_object_get_boolean(node) != 0;
}

int64_t jsonio_int(const struct json_object *node)
{
    assert(jsonio_type(node) == JSONIO_INT);
    if (json_object_is_type(node, json_type_double))
        return (int64_t)json_object_get_double(node);
    return json_object_get_int64(node);
}

double jsonio_double(const struct json_object *node)
{
    assert(json_object_is_type(node, json_type_double) || json_object_is_type(node, json_type_int));
    return json_object_get_double(node);
}

const char *jsonio_text(const struct json_object *node, size_t *ret_len)
{
    assert(json_object_is_type(node, json_type_string));
    if (ret_len != NULL)
        *ret_len = (size_t)json_object_get_string_len(node);
    /* json-c lacks a const here: it writes to nodes of other types only */
    return json_object_get_string((struct json_object *)node);
}

size_t jsonio_length(const struct json_object *node)
{
    if (json_object_is_type(node, json_type_array))
        return json_object_array_length(node);
    assert(json_object_is_type(node, json_type_object));
    return (size_t)json_object_object_length(node);
}

struct json_object *jsonio_item(const struct json_object *array, size_t i)
{
    assert(json_object_is_type(array, json_type_array));
    return json_object_array_get_idx(array, i);
}

bool jsonio_member(const struct json_object *object, const char *name,
                   struct json_object **ret_value)
{
    assert(json_object_is_type(object, json_type_object));
    return json_object_object_get_ex(object, name, ret_value) != 0;
}

struct jsonio_iter jsonio_first(const struct json_object *object)
{
    assert(json_object_is_type(object, json_type_object));
    return (struct jsonio_iter){.next = json_object_get_object(object)->head};
}

bool jsonio_next(struct jsonio_iter *iter)
{
    const struct lh_entry *entry = iter->next;
    if (entry == NULL)
        return false;
    iter->key = lh_entry_k(entry);
    iter->value = lh_entry_v(entry);
    iter->next = entry->next;
    return true;
}

static int fail(struct err *err, const char *at, const char *name, const char *code,
                const char *text)
{
    struct jsonio_path path;
    jsonio_path_init(&path, at);
    (void)jsonio_path_key(&path, name);
    (void)err_field(err, path.text, code, "%s", text);
    if (err != NULL)
        err->domain = "json";
    return -1;
}

int jsonio_get_node(const struct json_object *object, const char *at, const char *name,
                    enum jsonio_type type, struct json_object **ret_node, struct err *err)
{
    struct json_object *node = NULL;
    if (!jsonio_member(object, name, &node) || node == NULL)
        return 0;
    if (jsonio_type(node) != type) {
        char text[64];
        (void)snprintf(text, sizeof(text), "%s where %s is expected",
                       jsonio_type_name(jsonio_type(node)), jsonio_type_name(type));
        return fail(err, at, name, "wrong_type", text);
    }
    *ret_node = node;
    return 1;
}

int jsonio_get_int(const struct json_object *object, const char *at, const char *name, int64_t min,
                   int64_t max, int64_t *ret_value, struct err *err)
{
    struct json_object *node = NULL;
    int found = jsonio_get_node(object, at, name, JSONIO_INT, &node, err);
    if (found <= 0)
        return found;
    int64_t value = jsonio_int(node);
    if (value < min || value > max) {
        char text[96];
        (void)snprintf(text, sizeof(text), "not between %lld and %lld", (long long)min,
                       (long long)max);
        return fail(err, at, name, "out_of_range", text);
    }
    *ret_value = value;
    return 1;
}

int jsonio_get_bool(const struct json_object *object, const char *at, const char *name,
                    bool *ret_value, struct err *err)
{
    struct json_object *node = NULL;
    int found = jsonio_get_node(object, at, name, JSONIO_BOOL, &node, err);
    if (found > 0)
        *ret_value = jsonio_bool(node);
    return found;
}

int jsonio_get_text(const struct json_object *object, const char *at, const char *name,
                    size_t max_len, const char **ret_text, struct err *err)
{
    struct json_object *node = NULL;
    int found = jsonio_get_node(object, at, name, JSONIO_TEXT, &node, err);
    if (found <= 0)
        return found;
    size_t len;
    const char *text = jsonio_text(node, &len);
    if (len > max_len)
        return fail(err, at, name, "too_long", "the text is too long");
    *ret_text = text;
    return 1;
}

static int require(int found, const char *at, const char *name, struct err *err)
{
    if (found == 0)
        return fail(err, at, name, "required", "a required member is missing");
    return found < 0 ? -1 : 0;
}

int jsonio_require_int(const struct json_object *object, const char *at, const char *name,
                       int64_t min, int64_t max, int64_t *ret_value, struct err *err)
{
    return require(jsonio_get_int(object, at, name, min, max, ret_value, err), at, name, err);
}

int jsonio_require_text(const struct json_object *object, const char *at, const char *name,
                        size_t max_len, const char **ret_text, struct err *err)
{
    return require(jsonio_get_text(object, at, name, max_len, ret_text, err), at, name, err);
}
