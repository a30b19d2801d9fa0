-- SPDX-License-Identifier: Apache-2.0
-- Keys are unique, 1 to 64 characters long, and hold nothing that the canonical form takes away: capitals, white space,
-- dashes (as far as SQL can tell).
select c.batch_id || '.' || c.serial as code, 'not canonical' as what
  from code c
 where length(c.key) not between 1 and 64
    or c.key <> lower(c.key)
    or c.key ~ '[[:space:]-]'
union all
select min(c.batch_id || '.' || c.serial), 'key occurs ' || count(*) || ' times'
  from code c
 group by c.key
having count(*) > 1
