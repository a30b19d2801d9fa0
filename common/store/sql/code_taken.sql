-- $1 text[] key
select key from code where key = any ($1)
