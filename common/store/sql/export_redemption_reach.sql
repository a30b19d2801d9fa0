-- The highest number that any row of the ledger can have at this moment, and the snapshot that says which moment it
-- is. From the sequence: a row that is visible has drawn its number before, and to look for the highest row would
-- mean to read the whole ledger.
select pg_current_snapshot()::text, coalesce(pg_sequence_last_value(pg_get_serial_sequence('redemption', 'seq')::regclass), 0)
