-- no parameters
select set_config('lock_timeout', '50ms', true), set_config('statement_timeout', '1s', true)
