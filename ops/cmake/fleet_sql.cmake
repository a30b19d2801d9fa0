# SPDX-License-Identifier: Apache-2.0
#
# SQL files become part of the program at build time. A file that changes, comes or goes is built in anew.
#
# fleet_sql(target FOLDER folder PREFIX prefix)
#   Each <folder>/<name>.sql, one statement, becomes `extern const struct db_stmt <prefix>_sql_<name>` in
#   <prefix>_sql.h. Its first line names the parameters in order: `-- $1 bigint job, $2 int[] lane`; without
#   parameters it is any other comment or the statement itself. Types: bool smallint int bigint text bytea uuid
#   timestamptz numeric json jsonb xid8 (and int2 int4 int8), with [] for arrays.
# fleet_migrations(target FOLDER folder)
#   <folder>/NNNN_<name>.sql become db_migrations[] and db_migration_count (db_migrate.h), in order. Sub-folders
#   are not looked into.
#
# This file is its own generator: cmake -DFLEET_SQL_MODE=... -P fleet_sql.cmake

# A C string literal, one line of the file a line.
function(fleet_sql_literal text ret)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\t" "\\t" text "${text}")
    string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
    set(${ret} "\"${text}\"" PARENT_SCOPE)
endfunction()

# Unchanged output keeps its time, so that nothing is compiled for nothing.
function(fleet_sql_write file content)
    set(old "")
    if(EXISTS ${file})
        file(READ ${file} old)
    endif()
    if(NOT old STREQUAL content)
        file(WRITE ${file} "${content}")
    endif()
endfunction()

# The types on the first line, as db_params.h names them, and their number.
function(fleet_sql_params name text ret_types ret_count)
    set(names_bool BOOL)
    set(names_boolean BOOL)
    set(names_int2 INT2)
    set(names_smallint INT2)
    set(names_int INT4)
    set(names_int4 INT4)
    set(names_integer INT4)
    set(names_int8 INT8)
    set(names_bigint INT8)
    set(names_text TEXT)
    set(names_bytea BYTEA)
    set(names_uuid UUID)
    set(names_timestamptz TIMESTAMPTZ)
    set(names_numeric NUMERIC)
    set(names_json JSON)
    set(names_jsonb JSONB)
    set(names_xid8 XID8)

    string(REGEX MATCH "^[^\n]*" first "${text}")
    set(types "")
    set(count 0)
    if(first MATCHES "^-- \\$1 ")
        string(REGEX REPLACE "^-- " "" first "${first}")
        string(REPLACE "[]" "_array" first "${first}")
        string(REPLACE "," ";" items "${first}")
        foreach(item IN LISTS items)
            math(EXPR count "${count} + 1")
            string(STRIP "${item}" item)
            set(type "")
            if(item MATCHES "^\\$${count} ([a-z0-9]+)(_array)?( [a-z0-9_]+)?$")
                set(type ${CMAKE_MATCH_1})
                string(TOUPPER "${CMAKE_MATCH_2}" array)
            endif()
            if(NOT DEFINED names_${type})
                message(FATAL_ERROR "${name}.sql: parameter ${count} on the first line: '${item}'")
            endif()
            string(APPEND types "DB_${names_${type}}${array}, ")
        endforeach()
    endif()
    string(REGEX MATCHALL "\\$[0-9]+" used "${text}")
    foreach(parameter IN LISTS used)
        string(SUBSTRING "${parameter}" 1 -1 number)
        if(number GREATER count)
            message(FATAL_ERROR "${name}.sql: ${parameter} is not declared on the first line")
        endif()
    endforeach()
    set(${ret_types} "${types}" PARENT_SCOPE)
    set(${ret_count} ${count} PARENT_SCOPE)
endfunction()

function(fleet_sql_generate)
    set(guard "${FLEET_SQL_PREFIX}_sql_h")
    string(TOUPPER "${guard}" guard)
    set(header "/* Generated from *.sql by fleet_sql.cmake. */\n#ifndef ${guard}\n#define ${guard}\n\n#include \"db_query.h\"\n\n")
    set(source "/* Generated from *.sql by fleet_sql.cmake. */\n#include \"${FLEET_SQL_PREFIX}_sql.h\"\n")
    foreach(file IN LISTS files)
        get_filename_component(name ${file} NAME_WE)
        if(NOT name MATCHES "^[a-z][a-z0-9_]*$")
            message(FATAL_ERROR "${file}: a name has small letters, digits and _ only")
        endif()
        file(READ ${file} text)
        fleet_sql_params(${name} "${text}" types count)
        fleet_sql_literal("${text}" literal)
        set(symbol ${FLEET_SQL_PREFIX}_sql_${name})
        string(APPEND header "extern const struct db_stmt ${symbol};\n")
        # One type too many, so that a statement without parameters has an array as well.
        string(APPEND source "\nstatic const uint32_t ${name}_types[] = {${types}DB_ANY};\n"
            "const struct db_stmt ${symbol} = {\n    .name = \"${symbol}\",\n    .param_count = ${count},\n"
            "    .param_types = ${name}_types,\n    .text =\n    ${literal},\n};\n")
    endforeach()
    string(APPEND header "\n#endif\n")
    fleet_sql_write(${FLEET_SQL_OUT}/${FLEET_SQL_PREFIX}_sql.h "${header}")
    fleet_sql_write(${FLEET_SQL_OUT}/${FLEET_SQL_PREFIX}_sql.c "${source}")
endfunction()

function(fleet_sql_generate_migrations)
    set(source "/* Generated from *.sql by fleet_sql.cmake. */\n#include \"db_migrate.h\"\n\nconst struct db_migration db_migrations[] = {\n")
    set(count 0)
    foreach(file IN LISTS files)
        get_filename_component(name ${file} NAME)
        math(EXPR count "${count} + 1")
        if(NOT name MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)\\.sql$")
            message(FATAL_ERROR "${file}: a migration is named NNNN_name.sql")
        endif()
        set(version ${CMAKE_MATCH_1})
        set(short ${CMAKE_MATCH_2})
        string(REGEX REPLACE "^0+" "" version "${version}")
        if(NOT version STREQUAL "${count}")
            message(FATAL_ERROR "${file}: migration ${count} is missing before it, or there twice")
        endif()
        file(READ ${file} text)
        fleet_sql_literal("${text}" literal)
        string(APPEND source "    {\n    .version = ${version},\n    .name = \"${short}\",\n    .text =\n    ${literal},\n    },\n")
    endforeach()
    # ISO C knows no empty array.
    string(APPEND source "    {0},\n};\nconst size_t db_migration_count = ${count};\n")
    fleet_sql_write(${FLEET_SQL_OUT}/db_migrations.c "${source}")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
    cmake_policy(VERSION 3.25)
    file(STRINGS ${FLEET_SQL_OUT}/files.txt files)
    if(FLEET_SQL_MODE STREQUAL migrations)
        fleet_sql_generate_migrations()
    else()
        fleet_sql_generate()
    endif()
    return()
endif()

# Common part: list the files, add the rule and its source to the target.
function(fleet_sql_rule target mode folder out prefix outputs)
    file(GLOB files CONFIGURE_DEPENDS LIST_DIRECTORIES false ${folder}/*.sql)
    list(SORT files)
    list(JOIN files "\n" lines)
    # Part of the dependencies, so that a file that has gone counts as a change.
    file(CONFIGURE OUTPUT ${out}/files.txt CONTENT "${lines}\n" @ONLY)
    add_custom_command(OUTPUT ${outputs}
        COMMAND ${CMAKE_COMMAND} -DFLEET_SQL_MODE=${mode} -DFLEET_SQL_OUT=${out} -DFLEET_SQL_PREFIX=${prefix}
                -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
        DEPENDS ${files} ${out}/files.txt ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
        COMMENT "Embedding ${folder}/*.sql"
        VERBATIM)
    target_sources(${target} PRIVATE ${outputs})
endfunction()

function(fleet_sql target)
    cmake_parse_arguments(arg "" "FOLDER;PREFIX" "" ${ARGN})
    if(NOT arg_FOLDER OR NOT arg_PREFIX OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "fleet_sql(${target} FOLDER folder PREFIX prefix)")
    endif()
    get_filename_component(folder ${arg_FOLDER} ABSOLUTE)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/${arg_PREFIX}_sql)
    fleet_sql_rule(${target} statements ${folder} ${out} ${arg_PREFIX}
        "${out}/${arg_PREFIX}_sql.c;${out}/${arg_PREFIX}_sql.h")
    target_include_directories(${target} PUBLIC ${out})
endfunction()

function(fleet_migrations target)
    cmake_parse_arguments(arg "" "FOLDER" "" ${ARGN})
    if(NOT arg_FOLDER OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "fleet_migrations(${target} FOLDER folder)")
    endif()
    get_filename_component(folder ${arg_FOLDER} ABSOLUTE)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/migrations)
    fleet_sql_rule(${target} migrations ${folder} ${out} none ${out}/db_migrations.c)
endfunction()
