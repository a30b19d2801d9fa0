-- no parameters
select brin_summarize_new_values('code_batch'::regclass)
