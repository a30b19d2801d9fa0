-- $1 text worker, $2 text[] topic, $3 int[] partition, $4 int8[] epoch, $5 int8[] from_offset, $6 int8[] next_offset, $7 timestamptz[] next_time
-- Locks the rows of a batch's partitions and moves them on. A row of another epoch is not touched: fewer rows come
-- back than were asked for, and the caller rolls back. Nothing moves backwards.
update progress p
   set from_offset = greatest(p.from_offset, a.from_offset),
       next_time = case when a.next_offset > p.next_offset then a.next_time else p.next_time end,
       next_offset = greatest(p.next_offset, a.next_offset),
       deaths = 0,
       death_offset = -1
  from unnest($2::text[], $3::int[], $4::int8[], $5::int8[], $6::int8[], $7::timestamptz[])
       as a (topic, partition, epoch, from_offset, next_offset, next_time)
 where p.worker = $1
   and p.topic = a.topic
   and p.partition = a.partition
   and p.epoch = a.epoch
