# SPDX-License-Identifier: Apache-2.0
#
# ctl_embed_checks(target folder): <folder>/NN_name.sql become ctl_checks[] (ctl_audit.h), 00_prelude.sql becomes
# ctl_check_prelude. This file is its own generator, as fleet_sql.cmake is.

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
    cmake_policy(VERSION 3.25)
    include(${CTL_FLEET_SQL})
    file(STRINGS ${CTL_OUT}/checks.txt files)
    set(source "/* Generated from schemas/sql/checks by ctl_checks.cmake. */\n#include \"ctl_audit.h\"\n\n")
    set(checks "const struct ctl_check ctl_checks[] = {\n")
    set(count 0)
    foreach(file IN LISTS files)
        get_filename_component(name ${file} NAME_WE)
        if(NOT name MATCHES "^[0-9][0-9]_[a-z0-9_]+$")
            message(FATAL_ERROR "${file}: a check is named NN_name.sql")
        endif()
        file(READ ${file} text)
        fleet_sql_literal("${text}" literal)
        if(name STREQUAL "00_prelude")
            string(APPEND source "const char ctl_check_prelude[] =\n    ${literal};\n\n")
        else()
            string(APPEND checks "    {\n    .name = \"${name}\",\n    .text =\n    ${literal},\n    },\n")
            math(EXPR count "${count} + 1")
        endif()
    endforeach()
    string(APPEND source "${checks}    {0},\n};\nconst size_t ctl_check_count = ${count};\n")
    fleet_sql_write(${CTL_OUT}/ctl_checks.c "${source}")
    return()
endif()

set(CTL_CHECKS_GENERATOR ${CMAKE_CURRENT_LIST_FILE})

function(ctl_embed_checks target folder)
    get_filename_component(folder ${folder} ABSOLUTE)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/checks)
    set(fleet_sql ${CMAKE_SOURCE_DIR}/ops/cmake/fleet_sql.cmake)
    file(GLOB files CONFIGURE_DEPENDS LIST_DIRECTORIES false ${folder}/*.sql)
    list(SORT files)
    list(JOIN files "\n" lines)
    file(CONFIGURE OUTPUT ${out}/checks.txt CONTENT "${lines}\n" @ONLY)
    add_custom_command(OUTPUT ${out}/ctl_checks.c
        COMMAND ${CMAKE_COMMAND} -DCTL_OUT=${out} -DCTL_FLEET_SQL=${fleet_sql} -P ${CTL_CHECKS_GENERATOR}
        DEPENDS ${files} ${out}/checks.txt ${CTL_CHECKS_GENERATOR} ${fleet_sql}
        COMMENT "Embedding ${folder}/*.sql"
        VERBATIM)
    target_sources(${target} PRIVATE ${out}/ctl_checks.c)
endfunction()
