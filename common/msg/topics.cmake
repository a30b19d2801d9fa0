# SPDX-License-Identifier: Apache-2.0
#
# schemas/topics.json as C data. An entry that the enum of msg_topics.h does not name, or that stands elsewhere than
# there, stops the build.
set(topics_json ${PROJECT_SOURCE_DIR}/schemas/topics.json)
set(topics_c ${CMAKE_CURRENT_BINARY_DIR}/msg_topics_data.c)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${topics_json})
file(READ ${topics_json} json)

# A JSON string as a C literal; these texts need no escapes, and the check keeps it that way.
function(topic_text out)
    string(JSON text GET "${json}" ${ARGN})
    if(text MATCHES "[\"\\\\\n]")
        message(FATAL_ERROR "topics.json: ${ARGN}: quotes, backslashes and line feeds are not supported")
    endif()
    set(${out} "\"${text}\"" PARENT_SCOPE)
endfunction()

set(settings "")
set(specs "")
string(JSON count LENGTH "${json}" topics)
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
    topic_text(name topics ${i} name)
    topic_text(carries topics ${i} carries)
    topic_text(key topics ${i} key)
    string(JSON partitions GET "${json}" topics ${i} partitions)
    string(TOUPPER ${name} upper)
    string(REGEX REPLACE "[.-]" "_" enum ${upper})
    string(REPLACE "\"" "" enum ${enum})
    string(JSON setting_count LENGTH "${json}" topics ${i} config)
    math(EXPR setting_last "${setting_count} - 1")
    string(APPEND settings "static const struct msg_topic_setting settings_${i}[] = {\n")
    foreach(k RANGE ${setting_last})
        string(JSON setting MEMBER "${json}" topics ${i} config ${k})
        topic_text(value topics ${i} config ${setting})
        string(APPEND settings "    {\"${setting}\", ${value}},\n")
    endforeach()
    string(APPEND settings "};\n")
    string(APPEND specs "    [MSG_TOPIC_${enum}] = {${name}, ${carries}, ${key}, ${partitions}, settings_${i}, ${setting_count}},\n")
    string(APPEND order "_Static_assert(MSG_TOPIC_${enum} == ${i}, \"the enum follows topics.json\");\n")
endforeach()
file(CONFIGURE OUTPUT ${topics_c} CONTENT "/* made from schemas/topics.json */
#include \"msg_topics_internal.h\"

${settings}
const struct msg_topic_spec msg_topic_specs[MSG_TOPIC_COUNT] = {
${specs}};
_Static_assert(MSG_TOPIC_COUNT == ${count}, \"the enum follows topics.json\");
${order}" @ONLY)
