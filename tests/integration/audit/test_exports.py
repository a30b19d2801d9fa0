#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""promoctl audit holds exports against their manifests."""

import hashlib
import json
import os
import tempfile

from ctl_it import database, environment, equal, promoctl, run_all, sql

URL = database()
JOB = "00000000-0000-5000-8000-000000000001"


def export(folder, parts, **manifest):
    """Writes the parts (name, text, rows) and their manifest, with whatever of it is to be otherwise."""
    os.makedirs(folder, exist_ok=True)
    listed = []
    for name, text, rows in parts:
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as out:
            out.write(text)
        listed.append({"file": name, "rows": rows, "bytes": len(text.encode()),
                       "sha256": hashlib.sha256(text.encode()).hexdigest()})
    content = {"job": JOB, "rows": sum(rows for _, _, rows in parts), "parts": listed, **manifest}
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as out:
        out.write(json.dumps(content))
    return content


PARTS = [("part-0.csv", "code,uses\r\na,1\r\nb,0\r\n", 2), ("part-1.csv", "code,uses\r\nc,0\r\n", 1)]


def found(top):
    done = promoctl("audit", "--json", "--no-kafka", "--export-dir", top, env=environment(PGURL=URL))
    check, = [line for line in done.lines() if line["check"] == "exports" and "ok" in line]
    equal(done.code, 0 if check["ok"] else 1)
    return [row["what"] for row in check["rows"]], done


def wrong(change, wanted):
    """A good export next to one that `change` (folder, manifest) made wrong."""
    with tempfile.TemporaryDirectory() as top:
        export(os.path.join(top, "good"), PARTS)
        folder = os.path.join(top, "some", "where")
        manifest = export(folder, PARTS)
        manifest = change(folder, manifest)
        if manifest is not None:
            with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as out:
                out.write(manifest if isinstance(manifest, str) else json.dumps(manifest))
        equal(found(top)[0], [wanted])


def set_up():
    equal(promoctl("migrate", env=environment(PGURL=URL)).code, 0)
    sql(URL, f"""insert into source (name) values ('shop');
        insert into job (id, kind, state, source_id, ce_id, params, total, done, lanes_left, width, accepted_at,
                         progress_at, finished_at, outcome)
        values ('{JOB}', 2, 3, 1, 'x', '{{}}', 3, 3, 0, 4, now(), now(), now(), '{{}}');
        insert into command (kind, source_id, ce_id, hash, partition, "offset", at, outcome_type, outcome, job_id)
        values (4, 1, 'x', '\\x00', 0, 0, now(), 'promofleet.job.accepted.v1', '{{}}', '{JOB}');
        insert into lane (job_id, lane, state, n, position, last, moved_at) values ('{JOB}', 0, 2, 1, 3, 3, now());
        insert into chunk (job_id, lane, n, epoch, first, last, rows, partition, "offset", job_done)
        values ('{JOB}', 0, 0, 0, 0, 3, 3, 0, 0, 3)""")


def good_exports_are_clean_and_counted():
    with tempfile.TemporaryDirectory() as top:
        equal(found(top)[0], [])
        export(os.path.join(top, "a"), PARTS)
        export(os.path.join(top, "b", "c"), PARTS)
        export(os.path.join(top, "none"), [], job="00000000-0000-5000-8000-00000000000f")
        # what an attempt that was given up leaves behind
        with open(os.path.join(top, "a", "part-0.7f.csv"), "w", encoding="utf-8") as out:
            out.write("x")
        rows, done = found(top)
        equal(rows, [])
        assert any(line.get("note", "").startswith("3 manifests") for line in done.lines()), done.out


def changed_bytes_are_found():
    def change(folder, _):
        with open(os.path.join(folder, "part-0.csv"), "r+b") as part:
            part.seek(11)
            part.write(b"z")
    wrong(change, "part differs from its manifest")


def a_cut_part_is_found():
    wrong(lambda folder, _: os.truncate(os.path.join(folder, "part-1.csv"), 5), "part differs from its manifest")


def a_missing_part_is_found():
    wrong(lambda folder, _: os.unlink(os.path.join(folder, "part-1.csv")), "part cannot be read")


def too_few_lines_are_found():
    wrong(lambda _, m: {**m, "rows": 9, "job": JOB[:-1] + "f",
                        "parts": [{**m["parts"][0], "rows": 8}, m["parts"][1]]}, "part has too few lines")


def sums_must_add_up():
    wrong(lambda _, m: {**m, "rows": 4, "job": JOB[:-1] + "f"}, "rows of the parts are not the manifest's")


def the_job_must_have_written_as_much():
    wrong(lambda _, m: {**m, "rows": 1, "parts": m["parts"][1:]}, "the job has written another number of rows")


def a_part_elsewhere_is_refused():
    wrong(lambda _, m: {**m, "parts": [{**m["parts"][0], "file": "../../good/part-0.csv"}, m["parts"][1]]},
          "part lies outside of the export")


def a_manifest_that_is_none_is_found():
    for text in ("", "{", "[]", '{"parts": []}', '{"rows": 0, "parts": {}}', '{"rows": 0, "parts": [1]}',
                 '{"rows": 0, "parts": [{"file": "x"}]}', '{"rows": -1, "parts": []}'):
        wrong(lambda _, m, text=text: text, "manifest cannot be understood")
    wrong(lambda _, m: {**m, "job": "7"}, "manifest names no job")


def a_directory_that_is_not_there_is_an_error():
    done = promoctl("audit", "--no-kafka", "--export-dir", "/nowhere/at-all", env=environment(PGURL=URL))
    equal(done.code, 1)
    assert "/nowhere/at-all" in done.err, done.err


if __name__ == "__main__":
    set_up()
    run_all([good_exports_are_clean_and_counted, changed_bytes_are_found, a_cut_part_is_found,
             a_missing_part_is_found, too_few_lines_are_found, sums_must_add_up,
             the_job_must_have_written_as_much, a_part_elsewhere_is_refused, a_manifest_that_is_none_is_found,
             a_directory_that_is_not_there_is_an_error])
