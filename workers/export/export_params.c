/* SPDX-License-Identifier: Apache-2.0
 *
 * {"include_descendants":true,"ranges":[batch,first,last, batch,first,last, ...]}
 */
#include "export_worker.h"
#include "jsonio.h"
#include "jsonio_writer.h"

#include <string.h>

int64_t export_params_slots(const struct export_params *params)
{
    int64_t slots = 0;

    for (size_t i = 0; i < params->range_count; i++)
        slots += params->ranges[i].last - params->ranges[i].first;
    return slots;
}

int export_params_write(struct arena *arena, const struct export_params *params,
                        const char **ret_json, struct err *err)
{
    CLEANUP(buf_done) struct buf json;
    struct jsonio_writer writer;

    buf_init(&json);
    jsonio_writer_init(&writer, &json);
    jsonio_begin_object(&writer);
    jsonio_put_key(&writer, "include_descendants");
    jsonio_put_bool(&writer, params->descendants);
    jsonio_put_key(&writer, "ranges");
    jsonio_begin_array(&writer);
    for (size_t i = 0; i < params->range_count; i++) {
        jsonio_put_int(&writer, params->ranges[i].batch_id);
        jsonio_put_int(&writer, params->ranges[i].first);
        jsonio_put_int(&writer, params->ranges[i].last);
    }
    jsonio_end_array(&writer);
    jsonio_end_object(&writer);
    *ret_json = arena_memdup(arena, json.data, json.len);
    return buf_failed(&json) || *ret_json == NULL ? err_nomem(err) : 0;
}

static int read_ranges(struct arena *arena, const struct json_object *numbers,
                       struct export_params *ret, struct err *err)
{
    size_t count = jsonio_length(numbers) / 3;
    struct store_export_range *ranges = arena_zalloc(arena, count + 1, sizeof(*ranges));

    if (ranges == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        ranges[i] = (struct store_export_range){
            .batch_id = (int32_t)jsonio_int(jsonio_item(numbers, 3 * i)),
            .first = jsonio_int(jsonio_item(numbers, 3 * i + 1)),
            .last = jsonio_int(jsonio_item(numbers, 3 * i + 2)),
        };
    }
    ret->ranges = ranges;
    ret->range_count = count;
    return 0;
}

int export_params_read(struct arena *arena, const char *json, struct export_params *ret,
                       struct err *err)
{
    CLEANUP(jsonio_freep) struct json_object *root = NULL;
    struct json_object *numbers = NULL;
    struct export_params params = {.descendants = true};

    if (jsonio_parse(json, strlen(json), strlen(json), &root, err) < 0 ||
        jsonio_get_bool(root, "", "include_descendants", &params.descendants, err) < 0 ||
        jsonio_get_node(root, "", "ranges", JSONIO_ARRAY, &numbers, err) < 0)
        return err_wrap(err, "params of the job");
    if (numbers != NULL && read_ranges(arena, numbers, &params, err) < 0)
        return -1;
    *ret = params;
    return 0;
}
