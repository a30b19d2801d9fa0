# SPDX-License-Identifier: Apache-2.0
# What the generator refuses, with the reason; and that it leaves unchanged output alone.
cmake_policy(VERSION 3.25)

# run(mode name text expected): one file; expected "" for success, otherwise a part of the message.
function(run mode name text expected)
    file(REMOVE_RECURSE ${WORK})
    file(WRITE ${WORK}/in/${name} "${text}")
    file(WRITE ${WORK}/out/files.txt "${WORK}/in/${name}\n")
    execute_process(COMMAND ${CMAKE_COMMAND} -DFLEET_SQL_MODE=${mode} -DFLEET_SQL_OUT=${WORK}/out
                            -DFLEET_SQL_PREFIX=x -P ${GENERATOR}
                    RESULT_VARIABLE result ERROR_VARIABLE message OUTPUT_QUIET)
    string(REGEX REPLACE "[ \n]+" " " message "${message}")
    if(expected STREQUAL "")
        if(NOT result EQUAL 0)
            message(FATAL_ERROR "${name} was refused: ${message}")
        endif()
    elseif(result EQUAL 0)
        message(FATAL_ERROR "${name} was taken, although: ${expected}")
    else()
        string(FIND "${message}" "${expected}" at)
        if(at EQUAL -1)
            message(FATAL_ERROR "${name}: '${expected}' is not in: ${message}")
        endif()
    endif()
endfunction()

run(statements good.sql "-- \$1 int a, \$2 text[] b\nselect \$1, \$2\n" "")
run(statements a.sql "-- \$1 int a\nselect \$1, \$2\n" "\$2 is not declared")
run(statements a.sql "select \$1\n" "\$1 is not declared")
run(statements a.sql "-- \$1 integr a\nselect \$1\n" "parameter 1 on the first line: '\$1 integr a'")
run(statements a.sql "-- \$1 int a, \$3 int b\nselect \$1\n" "parameter 2 on the first line")
run(statements a.sql "-- \$1 int a,\nselect \$1\n" "parameter 2 on the first line: ''")
run(statements A-b.sql "select 1\n" "small letters")
run(migrations 0001_first.sql "select 1;\n" "")
run(migrations 0002_first.sql "select 1;\n" "migration 1 is missing before it")
run(migrations first.sql "select 1;\n" "NNNN_name.sql")

run(statements good.sql "select 1\n" "")
file(TIMESTAMP ${WORK}/out/x_sql.c before "%s")
execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 1.1)
execute_process(COMMAND ${CMAKE_COMMAND} -DFLEET_SQL_MODE=statements -DFLEET_SQL_OUT=${WORK}/out -DFLEET_SQL_PREFIX=x
                        -P ${GENERATOR} COMMAND_ERROR_IS_FATAL ANY)
file(TIMESTAMP ${WORK}/out/x_sql.c after "%s")
if(NOT before STREQUAL after)
    message(FATAL_ERROR "unchanged output was written anew")
endif()
