-- $1 text worker, $2 text topic, $3 int partition, $4 int8 epoch, $5 int8 offset
-- Before the first batch after an assignment: who dies over it leaves this count behind.
update progress
   set deaths = case when death_offset = $5 then deaths + 1 else 1 end,
       death_offset = $5
 where worker = $1
   and topic = $2
   and partition = $3
   and epoch = $4
returning deaths
