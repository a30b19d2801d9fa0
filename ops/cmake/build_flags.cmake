# SPDX-License-Identifier: Apache-2.0
#
# Flags travel with the target build_flags, never with global variables.
#   -DWERROR=OFF        warnings stay warnings
#   -DFAULTS=ON         fault points for tests
#   -DSANITIZE=address,undefined

option(WERROR "Warnings are errors" ON)
option(FAULTS "Named points at which a test can make a worker die (base_fault.h)" OFF)
set(SANITIZE "" CACHE STRING "Sanitizers, comma-separated: address,undefined or thread")

add_library(build_flags INTERFACE)
target_compile_definitions(build_flags INTERFACE _GNU_SOURCE PROMOFLEET_VERSION="${PROJECT_VERSION}")
target_compile_definitions(build_flags INTERFACE $<$<BOOL:${FAULTS}>:FLEET_FAULTS>)
target_compile_options(build_flags INTERFACE
    -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wwrite-strings
    -Wundef -Wpointer-arith -fno-common -fstack-protector-strong
    $<$<BOOL:${WERROR}>:-Werror>
    -include ${CMAKE_SOURCE_DIR}/common/base/base_banned.h)
if(SANITIZE)
    target_compile_options(build_flags INTERFACE -fsanitize=${SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(build_flags INTERFACE -fsanitize=${SANITIZE})
else()
    target_compile_definitions(build_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(build_flags INTERFACE -Wl,-z,relro,-z,now)
