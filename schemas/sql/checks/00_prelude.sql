-- SPDX-License-Identifier: Apache-2.0
-- Run once in a session before the checks: is a text one JSON value? (In psql: \i 00_prelude.sql, then any check.)
create or replace function pg_temp.audit_is_json(value text) returns boolean
    language plpgsql immutable
as $$
begin
    perform value::jsonb;
    return value is not null;
exception when others then
    return false;
end
$$;
