-- $1 uuid id
update job set lanes_left = lanes_left + 1 where id = $1
