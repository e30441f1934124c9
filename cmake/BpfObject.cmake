# SPDX-License-Identifier: GPL-2.0-only
# lastref_bpf_skeleton(NAME SOURCES a.bpf.c …): compiles each source for BPF, links them into one
# object and makes the interface library NAME that provides "NAME.skel.h".

find_program(BPF_CLANG NAMES clang-14 clang REQUIRED)
find_program(BPF_STRIP NAMES llvm-strip-14 llvm-strip REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

function(lastref_bpf_skeleton name)
    cmake_parse_arguments(ARG "" "" "SOURCES" ${ARGN})
    set(dir ${CMAKE_BINARY_DIR}/bpf/${name})
    file(MAKE_DIRECTORY ${dir})
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.h)
    set(objects)
    foreach(source ${ARG_SOURCES})
        get_filename_component(stem ${source} NAME_WE)
        set(object ${dir}/${stem}.bpf.o)
        add_custom_command(
            OUTPUT ${object}
            # In the sources' directory, by relative paths: the names of files are kept in the object,
            # which is to be the same in every clone.
            COMMAND ${BPF_CLANG} -target bpf -D__TARGET_ARCH_x86 -O2 -g -mcpu=v3
                    -Wall -Wextra -Wno-unused-parameter -Werror -I. -fdebug-compilation-dir=.
                    -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
                    -c ${source} -o ${object}
            COMMAND ${BPF_STRIP} -g ${object}
            WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
            DEPENDS ${CMAKE_SOURCE_DIR}/${source} ${headers}
            COMMENT "Compiling ${source} for BPF"
            VERBATIM)
        list(APPEND objects ${object})
    endforeach()
    set(linked ${dir}/${name}.linked.o)
    set(skeleton ${dir}/${name}.skel.h)
    add_custom_command(
        OUTPUT ${skeleton}
        COMMAND ${BPFTOOL} gen object ${linked} ${objects}
        # What it generates leaks a little when memory is short, which is not ours to mend.
        COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTBEGIN(clang-analyzer-unix.Malloc)" > ${skeleton}
        COMMAND ${BPFTOOL} gen skeleton ${linked} name ${name} >> ${skeleton}
        COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTEND(clang-analyzer-unix.Malloc)" >> ${skeleton}
        DEPENDS ${objects}
        COMMENT "Generating ${name}.skel.h"
        VERBATIM)
    add_custom_target(${name}_header DEPENDS ${skeleton})
    add_library(${name} INTERFACE)
    add_dependencies(${name} ${name}_header)
    target_include_directories(${name} SYSTEM INTERFACE ${dir})
endfunction()
