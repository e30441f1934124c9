# SPDX-License-Identifier: GPL-2.0-only
# What `make install` puts where, and the Debian package of it (make deb).

# The programs that only these targets need (scripts/deps: package) are looked for when they are run:
# a build that was configured before they were installed would remember that they are not there.

include(GNUInstallDirs)

# Compresses a file for good: the same input makes the same output.
function(compressed output source)
    add_custom_command(OUTPUT ${output} COMMAND gzip -9nc ${source} > ${output}
        DEPENDS ${source} VERBATIM)
endfunction()

# Not sbin, which is in no user's PATH: a recording is read without root, and whoever types it without
# sudo is told so.
install(TARGETS lastref RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# Manual pages: docs/man/NAME.8.md, one for the program and one for each command.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/man)
file(GLOB man_sources CONFIGURE_DEPENDS docs/man/*.8.md)
foreach(source ${man_sources})
    get_filename_component(name ${source} NAME_WLE) # without .md
    set(page ${CMAKE_BINARY_DIR}/man/${name})
    add_custom_command(OUTPUT ${page}
        COMMAND pandoc --standalone --from=markdown-smart --to=man
                "--metadata=footer:lastref ${PROJECT_VERSION}"
                "--metadata=header:System Manager's Manual" --output=${page} ${source}
        DEPENDS ${source} VERBATIM)
    compressed(${page}.gz ${page})
    list(APPEND man_pages ${page}.gz)
endforeach()
set(changelog ${CMAKE_BINARY_DIR}/changelog.gz)
compressed(${changelog} ${CMAKE_SOURCE_DIR}/packaging/changelog)
add_custom_target(manual DEPENDS ${man_pages} ${changelog})

install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES packaging/completions/lastref.bash RENAME lastref
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES packaging/completions/_lastref
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
# The prefix is known only when it is installed: `make install` and the package have the same build.
install(CODE "
    set(LASTREF_PROGRAM \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/lastref\")
    set(LASTREF_DOCUMENTS \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
    configure_file(\"${CMAKE_SOURCE_DIR}/packaging/systemd/lastref.service.in\"
        \"${CMAKE_BINARY_DIR}/lastref.service\" @ONLY)")
install(FILES ${CMAKE_BINARY_DIR}/lastref.service DESTINATION lib/systemd/system)
install(DIRECTORY packaging/prometheus packaging/grafana DESTINATION ${CMAKE_INSTALL_DATADIR}/lastref)
file(GLOB documents CONFIGURE_DEPENDS docs/*.md docs/*.svg)
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/schema DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${changelog} packaging/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_CONTACT "${PROJECT_NAME} maintainers <maintainers@lastref.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "say who keeps a kernel module from being unloaded")
set(CPACK_PACKAGE_DESCRIPTION
    "lastref searches the kernel with BPF programs for everybody who holds a
module: open files, mounts, sockets, network configuration, other modules and
more, and compares what each takes with the kernel's own reference counter. It
follows unloads, shows where an exit routine hangs, and counts references by
call site. On kernels with soft references it also says what delays the free
of a module.")
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
