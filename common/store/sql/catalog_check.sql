-- without parameters
-- The last statement of a transaction that decided with cached definitions: no change of them comes between.
select version from definition_version for share
