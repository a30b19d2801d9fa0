-- without parameters
-- Definitions change one transaction at a time; whoever decides with cached ones waits for us at its commit.
select version from definition_version for no key update
