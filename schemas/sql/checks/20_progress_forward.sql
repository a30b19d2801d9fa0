-- SPDX-License-Identifier: Apache-2.0
-- What is applied is never behind what is published.
select worker, topic, partition, from_offset, next_offset
  from progress
 where next_offset < from_offset
    or from_offset < 0
