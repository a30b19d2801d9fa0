-- $1 text worker, $2 text topic, $3 int partition, $4 text owner
insert into progress as p (worker, topic, partition, epoch, owner, assigned_at)
values ($1, $2, $3, 1, $4, clock_timestamp())
on conflict (worker, topic, partition)
    do update set epoch = p.epoch + 1, owner = excluded.owner, assigned_at = excluded.assigned_at
returning epoch, from_offset, next_offset, next_time, deaths, death_offset
