# What `cmake --install TREE --prefix P` puts into P, of the build NMRCHECK_BUILD.  Trees of several builds may be
# installed into one prefix, one after the other: what they share is the same file.
#
#   bin/                        nmrcheck with the examples, scripts for many machines
#   include/nmrcheck/           wdk: the shim; harness, model: for the generated table of modules
#   lib/nmrcheck/BUILD/         libraries, AFL++'s mutator
#   lib/cmake/nmrcheck/         nmrcheckConfig.cmake, and what it includes and runs
#   share/doc/nmrcheck/
set(libraries lib/nmrcheck/${NMRCHECK_BUILD})
set(package lib/cmake/nmrcheck)

# ---- of this build
set(parts wdk npi module description harness rules model mutate main program)
if(NOT NMRCHECK_BUILD MATCHES "^(fuzz|afl)$")
    list(APPEND parts reports)
elseif(NMRCHECK_BUILD STREQUAL afl)
    list(APPEND parts mutator)
endif()
foreach(part IN LISTS parts)
    if(NOT TARGET nmrcheck::${NMRCHECK_BUILD}_${part})
        nmrcheck_publish(${part})
    endif()
endforeach()
list(TRANSFORM parts PREPEND ${nmrcheck}_ OUTPUT_VARIABLE targets)
install(TARGETS ${targets} EXPORT nmrcheck-${NMRCHECK_BUILD} ARCHIVE DESTINATION ${libraries}
    LIBRARY DESTINATION ${libraries})
install(EXPORT nmrcheck-${NMRCHECK_BUILD} NAMESPACE nmrcheck:: DESTINATION ${package}
    FILE targets-${NMRCHECK_BUILD}.cmake)
string(REGEX MATCH "^[0-9]+" compiler_major "${CMAKE_C_COMPILER_VERSION}")
file(CONFIGURE OUTPUT ${folder}/build-${NMRCHECK_BUILD}.cmake CONTENT
    "set(nmrcheck_${NMRCHECK_BUILD}_COMPILER \"${CMAKE_C_COMPILER_ID} ${compiler_major}\")\n")
install(FILES ${folder}/build-${NMRCHECK_BUILD}.cmake DESTINATION ${package})
if(NMRCHECK_EXAMPLES AND TARGET nmrcheck)
    install(TARGETS nmrcheck nmrcheck-dictionary RUNTIME)
endif()

# ---- of all builds
set(top ${PROJECT_SOURCE_DIR})
install(DIRECTORY ${top}/harness ${top}/model/wdk ${top}/model/npi
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/nmrcheck FILES_MATCHING PATTERN "*.h" PATTERN tests EXCLUDE)
foreach(headers IN ITEMS . kernel nmr peers rules)
    file(GLOB files CONFIGURE_DEPENDS ${top}/model/${headers}/*.h ${top}/model/${headers}/*.def)
    install(FILES ${files} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/nmrcheck/model/${headers})
endforeach()
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/nmrcheckConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/nmrcheckConfigVersion.cmake ${top}/cmake/nmrcheckConfig.cmake
    ${top}/cmake/prerequisites.cmake ${top}/cmake/modules.cmake ${top}/cmake/modules.c.in ${top}/cmake/entry.c.in
    ${top}/cmake/llp64.cmake ${top}/cmake/wpp.cmake ${top}/model/wdk/functions.txt DESTINATION ${package})
install(PROGRAMS ${top}/cmake/isolate.sh ${top}/cmake/missing.sh ${top}/cmake/campaign.sh ${NMRCHECK_CC}
    DESTINATION ${package})
install(PROGRAMS ${top}/fuzzers/explore_parallel.sh ${top}/fuzzers/explore_slurm.sh TYPE BIN)
install(FILES ${top}/README.md ${top}/CHANGELOG.md TYPE DOC)
install(DIRECTORY ${top}/docs/ TYPE DOC)
