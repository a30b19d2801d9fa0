-- $1 uuid id, $2 int2 kind, $3 int source, $4 text ce_id, $5 text traceparent, $6 int campaign, $7 int coupon, $8 int batch, $9 jsonb params, $10 int8 total, $11 int2 lanes_left, $12 int2 width, $13 timestamptz accepted, $14 bool with_snapshot
insert into job (id, kind, source_id, ce_id, traceparent, campaign_id, coupon_id, batch_id, params, total, lanes_left, width,
                 accepted_at, progress_at, snapshot)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, clock_timestamp(),
        case when $14 then pg_current_snapshot() end)
