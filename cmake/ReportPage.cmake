# SPDX-License-Identifier: GPL-2.0-only
# The page of `lastref report --format=html`. lastref_report_page(TARGET) adds it to a library, with
# uPlot in it, so that lastref needs no file and no network to write one.
#
# uPlot comes from the npm registry, in the version whose checksum package-lock.json holds, and while
# the build is configured: what is missing is told there, before anything is compiled.

set(LASTREF_UPLOT "" CACHE PATH "uPlot's npm package, unpacked; empty: npm fetches it")

function(lastref_fetch_uplot out)
    set(page ${CMAKE_SOURCE_DIR}/userspace/report-page)
    set(dir ${CMAKE_BINARY_DIR}/report-page)
    set(help
        "`lastref report --format=html` has the chart library uPlot in it. Either\n"
        "  install npm (Debian: apt install npm) and configure again with a network, or\n"
        "  give the unpacked npm package of uPlot: -DLASTREF_UPLOT=DIR, or\n"
        "  build without that format: -DLASTREF_HTML=OFF")
    set(package ${LASTREF_UPLOT})
    if(NOT package)
        set(package ${dir}/node_modules/uplot)
        # What is there is that of the lock file, or it is fetched again.
        set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
            ${page}/package-lock.json)
        file(SHA256 ${page}/package-lock.json wanted)
        set(have "")
        if(EXISTS ${dir}/fetched)
            file(READ ${dir}/fetched have)
        endif()
        if(NOT have STREQUAL wanted)
            find_program(NPM npm)
            if(NOT NPM)
                message(FATAL_ERROR "npm is not installed.\n" ${help})
            endif()
            file(COPY ${page}/package.json ${page}/package-lock.json DESTINATION ${dir})
            execute_process(COMMAND ${NPM} ci --ignore-scripts --prefer-offline --no-audit --no-fund
                                    --loglevel=error
                WORKING_DIRECTORY ${dir} RESULT_VARIABLE status
                OUTPUT_VARIABLE said ERROR_VARIABLE said)
            if(NOT status EQUAL 0)
                message(FATAL_ERROR "npm ci failed:\n" ${said} "\n" ${help})
            endif()
            file(WRITE ${dir}/fetched ${wanted})
        endif()
    endif()
    foreach(file LICENSE dist/uPlot.iife.min.js dist/uPlot.min.css)
        if(NOT EXISTS ${package}/${file})
            message(FATAL_ERROR "${package} has no ${file}.\n" ${help})
        endif()
    endforeach()
    set(${out} ${package} PARENT_SCOPE)
endfunction()

function(lastref_report_page target)
    if(NOT LASTREF_HTML)
        target_sources(${target} PRIVATE userspace/render/absent/report_page.cpp)
        return()
    endif()
    lastref_fetch_uplot(uplot)
    set(code ${CMAKE_BINARY_DIR}/report-page/report_page.cpp)
    file(GLOB parts CONFIGURE_DEPENDS userspace/report-page/*)
    add_custom_command(OUTPUT ${code}
        COMMAND ${CMAKE_SOURCE_DIR}/userspace/report-page/assemble ${uplot} ${code}
        DEPENDS ${parts} ${uplot}/dist/uPlot.iife.min.js ${uplot}/dist/uPlot.min.css
        COMMENT "Putting the HTML page together" VERBATIM)
    set_source_files_properties(${code} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON) # not ours to judge
    target_sources(${target} PRIVATE ${code})
endfunction()
