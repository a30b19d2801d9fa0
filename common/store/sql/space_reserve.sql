-- $1 int id, $2 int8 codes
update space set live = live + $2 where id = $1
