/* SPDX-License-Identifier: Apache-2.0
 *
 * Appends asyncapi.yaml (AsyncAPI 3.0), made from the registries of topics, commands and events.
 */
#ifndef MSG_ASYNCAPI_H
#define MSG_ASYNCAPI_H

#include "base_buf.h"

void msg_asyncapi(struct buf *out);

#endif
