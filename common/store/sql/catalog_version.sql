-- without parameters
select version from definition_version
