-- $1 bool a, $2 smallint b, $3 int c, $4 bigint d, $5 text e, $6 bytea f, $7 uuid g, $8 timestamptz h, $9 numeric i, $10 json j, $11 jsonb k, $12 xid8 l, $13 int[] m, $14 text[] n
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
