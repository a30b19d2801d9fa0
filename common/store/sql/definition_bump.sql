-- without parameters
update definition_version set version = version + 1 returning version
