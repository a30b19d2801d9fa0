# SPDX-License-Identifier: Apache-2.0
"""The few requests of Kafka's protocol that tests need and kcat does not know: offsets of a group, ends of
partitions, deleting groups and topics. One broker, one request at a time, plain text.

Only the oldest non-flexible versions that Kafka 4 still speaks are used."""

import socket
import struct

OFFSET_COMMIT, OFFSET_FETCH, LIST_OFFSETS, METADATA = 8, 9, 2, 3
CREATE_TOPICS, DELETE_TOPICS, DELETE_RECORDS, DELETE_GROUPS = 19, 20, 21, 42
READ_COMMITTED = 1
UNKNOWN_TOPIC = 3


class WireError(Exception):
    """The broker answered with an error code."""

    def __init__(self, what, code):
        super().__init__(f"{what}: Kafka error {code}")
        self.code = code


def _string(text):
    if text is None:
        return struct.pack(">h", -1)
    raw = text.encode()
    return struct.pack(">h", len(raw)) + raw


def _array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


class _Reader:
    """Takes values off an answer, front to back."""

    def __init__(self, raw):
        self.raw = raw
        self.at = 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.raw, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def string(self):
        length = self.take("h")
        if length < 0:
            return None
        self.at += length
        return self.raw[self.at - length:self.at].decode()

    def array(self, item):
        return [item() for _ in range(self.take("i"))]


class KafkaWire:
    """A connection for each call: the broker may have been killed and started since the last one."""

    def __init__(self, brokers, timeout=15):
        host, port = brokers.split(",")[0].rsplit(":", 1)
        self.address = (host, int(port))
        self.timeout = timeout

    def _call(self, api, version, body):
        head = struct.pack(">hhi", api, version, 1) + _string("tests")
        with socket.create_connection(self.address, self.timeout) as link:
            link.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
            with link.makefile("rb") as stream:
                size = struct.unpack(">i", stream.read(4))[0]
                raw = stream.read(size)
        answer = _Reader(raw)
        answer.take("i")  # correlation
        return answer

    def partitions(self, topic):
        """The number of partitions; 0 when there is no such topic."""
        answer = self._call(METADATA, 1, _array([_string(topic)]))
        answer.array(lambda: (answer.take("i"), answer.string(), answer.take("i"), answer.string()))
        answer.take("i")  # controller

        def one_topic():
            code, _, _ = answer.take("h"), answer.string(), answer.take("b")
            count = len(answer.array(lambda: (answer.take("hii"), answer.array(lambda: answer.take("i")),
                                              answer.array(lambda: answer.take("i")))))
            return code, count

        (code, count), = answer.array(one_topic)
        if code not in (0, UNKNOWN_TOPIC):
            raise WireError(topic, code)
        return count

    def offsets(self, topic, at=-1, isolation=READ_COMMITTED):
        """{partition: offset}; at -1: the end as a reader of committed records sees it, -2: the start."""
        wanted = [struct.pack(">iq", p, at) for p in range(self.partitions(topic))]
        answer = self._call(LIST_OFFSETS, 2,
                            struct.pack(">ib", -1, isolation) + _array([_string(topic) + _array(wanted)]))
        answer.take("i")  # throttled
        found = {}

        def one_partition():
            partition, code, _, offset = answer.take("ihqq")
            if code:
                raise WireError(f"{topic} [{partition}]", code)
            found[partition] = offset

        answer.array(lambda: (answer.string(), answer.array(one_partition)))
        return found

    def group_offsets(self, group):
        """{(topic, partition): committed offset}, of all that the group ever committed."""
        answer = self._call(OFFSET_FETCH, 2, _string(group) + struct.pack(">i", -1))
        found = {}

        def one_topic():
            name = answer.string()

            def one_partition():
                partition, offset = answer.take("iq")
                answer.string()
                code = answer.take("h")
                if code:
                    raise WireError(f"{group}: {name} [{partition}]", code)
                if offset >= 0:
                    found[name, partition] = offset

            answer.array(one_partition)

        answer.array(one_topic)
        code = answer.take("h")
        if code:
            raise WireError(group, code)
        return found

    def set_group_offsets(self, group, topic, offsets):
        """Only while the group has no members. offsets: {partition: offset}."""
        rows = [struct.pack(">iq", p, o) + _string(None) for p, o in offsets.items()]
        answer = self._call(OFFSET_COMMIT, 2, _string(group) + struct.pack(">i", -1) + _string("") +
                            struct.pack(">q", -1) + _array([_string(topic) + _array(rows)]))

        def one_partition():
            partition, code = answer.take("ih")
            if code:
                raise WireError(f"{group}: {topic} [{partition}]", code)

        answer.array(lambda: (answer.string(), answer.array(one_partition)))

    def delete_group(self, group):
        """All that the group committed is forgotten. Only while it has no members."""
        answer = self._call(DELETE_GROUPS, 0, _array([_string(group)]))
        answer.take("i")
        for name, code in answer.array(lambda: (answer.string(), answer.take("h"))):
            if code:
                raise WireError(name, code)

    def delete_records(self, topic, before):
        """As retention does. before: {partition: first offset that stays}."""
        rows = [struct.pack(">iq", p, o) for p, o in before.items()]
        answer = self._call(DELETE_RECORDS, 0, _array([_string(topic) + _array(rows)]) +
                            struct.pack(">i", self.timeout * 1000))
        answer.take("i")

        def one_partition():
            partition, _, code = answer.take("iqh")
            if code:
                raise WireError(f"{topic} [{partition}]", code)

        answer.array(lambda: (answer.string(), answer.array(one_partition)))

    def create_topic(self, topic, partitions, settings):
        rows = [_string(name) + _string(value) for name, value in settings.items()]
        answer = self._call(CREATE_TOPICS, 2, _array([
            _string(topic) + struct.pack(">ih", partitions, 1) + _array([]) + _array(rows)]) +
            struct.pack(">ib", self.timeout * 1000, 0))
        answer.take("i")
        for name, code, why in answer.array(lambda: (answer.string(), answer.take("h"), answer.string())):
            if code:
                raise WireError(f"{name}: {why}", code)

    def delete_topics(self, topics):
        answer = self._call(DELETE_TOPICS, 1, _array([_string(t) for t in topics]) +
                            struct.pack(">i", self.timeout * 1000))
        answer.take("i")
        for name, code in answer.array(lambda: (answer.string(), answer.take("h"))):
            if code not in (0, UNKNOWN_TOPIC):
                raise WireError(name, code)
