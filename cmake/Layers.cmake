# SPDX-License-Identifier: GPL-2.0-only
# The layers of the house, and which may use which.

# lastref_layer(NAME DIR DIR… USES LAYER… USES_HEADERS LAYER… LINK LIBRARY… PRIVATE_LINK LIBRARY…):
# a library of the sources in DIR (and ALSO), whose headers are included as "NAME/header.h".
#
# A layer sees its own headers and those of the layers that it is linked to, and of those that they are
# linked to: their headers include them. So that it includes none but of those in USES, its #include
# lines are read when it is built (CheckIncludes.cmake). Of USES_HEADERS it sees the headers alone: what
# is behind them is chosen where a program is linked.
function(lastref_layer name)
    cmake_parse_arguments(ARG "" "DIR" "ALSO;USES;USES_HEADERS;LINK;PRIVATE_LINK" ${ARGN})
    set(root ${CMAKE_BINARY_DIR}/include-roots/${name})
    file(MAKE_DIRECTORY ${root})
    file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${ARG_DIR} ${root}/${name} SYMBOLIC)
    foreach(layer ${ARG_USES} ${ARG_USES_HEADERS})
        set_property(GLOBAL APPEND PROPERTY lastref_arrows "${name}->${layer}")
    endforeach()
    set(patterns)
    set(read)
    foreach(dir ${ARG_DIR} ${ARG_ALSO})
        list(APPEND patterns ${CMAKE_SOURCE_DIR}/${dir}/*.cpp)
        list(APPEND read ${CMAKE_SOURCE_DIR}/${dir}/*.cpp ${CMAKE_SOURCE_DIR}/${dir}/*.h)
    endforeach()
    file(GLOB sources CONFIGURE_DEPENDS ${patterns})
    list(TRANSFORM ARG_USES PREPEND lastref_ OUTPUT_VARIABLE used)
    if(NOT sources)
        add_library(lastref_${name} INTERFACE)
        target_include_directories(lastref_${name} INTERFACE ${root})
        return()
    endif()
    add_library(lastref_${name} STATIC ${sources})
    target_include_directories(lastref_${name} PUBLIC ${root})
    target_link_libraries(lastref_${name} PUBLIC ${used} ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
    foreach(layer ${ARG_USES_HEADERS})
        target_include_directories(lastref_${name} PRIVATE ${CMAKE_BINARY_DIR}/include-roots/${layer})
    endforeach()

    file(GLOB files CONFIGURE_DEPENDS ${read})
    set(checked ${CMAKE_BINARY_DIR}/includes-checked/${name})
    set(uses ${ARG_USES} ${ARG_USES_HEADERS})
    add_custom_command(OUTPUT ${checked}
        COMMAND ${CMAKE_COMMAND} "-DLAYER=${name}" "-DUSES=${uses}" "-DFILES=${files}"
                -DSTAMP=${checked} -P ${CMAKE_SOURCE_DIR}/cmake/CheckIncludes.cmake
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/CheckIncludes.cmake
        COMMENT "" VERBATIM)
    add_custom_target(includes_of_${name} DEPENDS ${checked})
    add_dependencies(lastref_${name} includes_of_${name})
endfunction()

# That the check bites, and that the picture in the documentation is the house that is built.
function(lastref_layer_tests)
    set(planted ${CMAKE_BINARY_DIR}/includes-checked/planted.cpp)
    file(CONFIGURE OUTPUT ${planted} CONTENT "#include \"render/style.h\"\n")
    add_test(NAME a_wrong_include_fails
        COMMAND ${CMAKE_COMMAND} -DLAYER=core "-DUSES=base" -DFILES=${planted}
                -DSTAMP=${planted}.stamp -P ${CMAKE_SOURCE_DIR}/cmake/CheckIncludes.cmake)
    set_tests_properties(a_wrong_include_fails PROPERTIES
        PASS_REGULAR_EXPRESSION "core does not use render")
    get_property(arrows GLOBAL PROPERTY lastref_arrows)
    add_test(NAME the_picture_is_the_house
        COMMAND ${CMAKE_COMMAND} "-DARROWS=${arrows}"
                -DPICTURE=${CMAKE_SOURCE_DIR}/docs/internals.md
                -P ${CMAKE_SOURCE_DIR}/cmake/CheckPicture.cmake)
    list(POP_BACK arrows)
    add_test(NAME another_house_has_another_picture
        COMMAND ${CMAKE_COMMAND} "-DARROWS=${arrows}"
                -DPICTURE=${CMAKE_SOURCE_DIR}/docs/internals.md
                -P ${CMAKE_SOURCE_DIR}/cmake/CheckPicture.cmake)
    set_tests_properties(another_house_has_another_picture PROPERTIES
        PASS_REGULAR_EXPRESSION "is drawn, and not built")
endfunction()
