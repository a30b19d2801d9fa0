-- $1 int2 scope, $2 text subject, $3 bool total
select coalesce(max(uses), 0)::int8 as uses
  from counter
 where scope = $1
   and subject = $2
   and (customer = ''::bytea) = $3
