-- $1 int2 scope, $2 text subject, $3 bool total
delete from counter
 where scope = $1
   and subject = $2
   and (customer = ''::bytea) = $3
