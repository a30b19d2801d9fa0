-- $1 uuid id
select 1 from job where id = $1 for update
