-- $1 uuid job
-- All slots of an export are through: its total is what came out of them.
update job set total = done where id = $1
