# SPDX-License-Identifier: GPL-2.0-only
# cmake "-DARROWS=LAYER->LAYER;…" -DPICTURE=FILE -P CheckPicture.cmake: fails unless these are the
# arrows that the file draws, a line "    cli --> watch" for each. All use base, which is not drawn.
cmake_minimum_required(VERSION 3.25)

list(FILTER ARROWS EXCLUDE REGEX "->base$")
file(STRINGS ${PICTURE} drawn REGEX "^ +[a-z]+ --> [a-z]+$")
list(TRANSFORM drawn REPLACE "^ +([a-z]+) --> ([a-z]+)$" "\\1->\\2")
set(wrong "")
foreach(arrow ${ARROWS})
    if(NOT arrow IN_LIST drawn)
        string(APPEND wrong "${arrow} is built, and not drawn\n")
    endif()
endforeach()
foreach(arrow ${drawn})
    if(NOT arrow IN_LIST ARROWS)
        string(APPEND wrong "${arrow} is drawn, and not built\n")
    endif()
endforeach()
if(wrong)
    message(FATAL_ERROR "${PICTURE}:\n${wrong}")
endif()
