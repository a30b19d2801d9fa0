-- SPDX-License-Identifier: Apache-2.0
-- "refused:REASON" of a campaign counts the refusals that the ledger stores, by their first reason.
with reason (number, code) as (
    values (100, 'unknown_code'), (101, 'bad_code'), (102, 'code_repeated'),
           (103, 'code_inactive'), (104, 'coupon_inactive'), (105, 'campaign_inactive'),
           (106, 'not_started'), (107, 'expired'), (108, 'customer_required'),
           (109, 'currency_mismatch'), (110, 'code_exhausted'), (111, 'code_customer_limit'),
           (112, 'coupon_customer_limit'), (113, 'campaign_customer_limit'), (114, 'coupon_limit'),
           (115, 'campaign_limit'), (116, 'other_code_refused'), (117, 'unknown_redemption'),
           (118, 'already_released'), (119, 'not_in_redemption'), (120, 'nothing_to_release'),
           (121, 'order_required'), (122, 'discount_inactive')
), told as (
    select campaign_id, name, sum(value) as value
      from tally
     where name like 'refused:%'
     group by campaign_id, name
), happened as (
    select w.path[array_upper(w.path, 1)] as campaign_id,
           ('refused:' || coalesce(e.code, 'number ' || r.reason, 'none')) collate "C" as name,
           count(*) as value
      from redemption r
      join campaign_path w on w.id = r.path_id
      left join reason e on e.number = r.reason
     where r.state = 2
     group by 1, 2
)
select campaign_id, name, coalesce(t.value, 0) as tally, coalesce(h.value, 0) as ledger
  from told t
  full join happened h using (campaign_id, name)
 where coalesce(t.value, 0) <> coalesce(h.value, 0)
