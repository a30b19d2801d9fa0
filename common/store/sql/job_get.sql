-- $1 uuid id
select j.kind, j.state, s.name, j.ce_id, j.traceparent, j.source_id, j.campaign_id, j.coupon_id, j.batch_id, j.params,
       j.total, j.done, j.checksum, j.lanes_left, j.width, j.accepted_at, j.finished_at, j.snapshot::text, j.outcome, c.ext_id, k.ext_id
  from job j
  join source s on s.id = j.source_id
 left join campaign c on c.id = j.campaign_id
  left join coupon k on k.id = j.coupon_id
 where j.id = $1
