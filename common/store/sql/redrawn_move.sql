-- $1 int batch, $2 int serial, $3 int attempt, $4 bool placed
update code_redrawn
   set attempt = $3, placed = $4, at = clock_timestamp(), xid = pg_current_xact_id()
 where batch_id = $1 and serial = $2
