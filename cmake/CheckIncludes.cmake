# SPDX-License-Identifier: GPL-2.0-only
# cmake -DLAYER=NAME "-DUSES=LAYER;…" "-DFILES=FILE;…" -DSTAMP=FILE -P CheckIncludes.cmake: fails if a
# file of the layer includes a header of one that the layer does not use.
cmake_minimum_required(VERSION 3.25)

set(wrong "")
foreach(file ${FILES})
    file(STRINGS ${file} lines REGEX "^#include \"[^/\"]+/")
    foreach(line IN LISTS lines)
        string(REGEX REPLACE "^#include \"([^/]+)/.*" "\\1" layer "${line}")
        if(NOT layer STREQUAL LAYER AND NOT layer IN_LIST USES)
            string(APPEND wrong "${file}: ${line}: ${LAYER} does not use ${layer} (CMakeLists.txt)\n")
        endif()
    endforeach()
endforeach()
if(wrong)
    message(FATAL_ERROR "${wrong}")
endif()
file(TOUCH ${STAMP})
