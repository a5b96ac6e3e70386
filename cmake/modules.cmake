# Modules under test: how driver sources become part of our programs.
#
#   nmrcheck_add_module(NAME name SOURCES file.c ...
#       [INCLUDES folder ...]   for its own headers, beside the folders of its sources
#                               (a source may include "x.tmh" of WPP: see wpp.cmake)
#       [DEFINES A B=1 ...]     macros
#       [C_STANDARD 17]         default 11; always with the extensions of GNU C
#       [NPI npi.c ...]         the NPI description, in C: see nmrcheck/npi.h.  It is linked into the module, but not
#                               watched: it may call the module's functions, and stand in for functions that it lacks
#       [ROLE provider|client|both]   with a description: the module takes that side, in NPIs of the description, and no
#                               other; without ROLE whatever it registers is right
#       [INIT Function]         of a module without DriverEntry: called in its place, with its two arguments, …
#       [EXIT Function]         … and this one, without any, in DriverUnload's
#       [COUNTERPARTS_MAX n]    bindings it serves at once; default any number
#       [ENTRIES Function ...]  entry points of its own: NTSTATUS NTAPI Function(ULONG Argument), which other parts of
#                               the system call from any thread between load and unload
#       [SUMMARY "one line"]    for the command `list`
#       [CORPUS folder]         of its kept scenarios; default corpus/NAME beside the CMakeLists.txt
#       [LLP64]                 always so: the sources are for Windows, where long has 32 bits (llp64.cmake)
#       [QUIET])                without warnings: code that is wrong on purpose, or not ours to mend
#
# The sources are compiled as kernel code sees them: the WDK shim and their own folder, nothing of ours.  Then
# isolate.sh gives the object names and sections of its own, so that all modules fit in one program.
#
# In a project that uses nmrcheck (find_package, add_subdirectory or FetchContent) each module gets programs of its own:
#
#   NAME                        the whole command line, with this module only: `NAME check`, `NAME replay FILE`
#   NAME-libfuzzer, NAME-afl    what `NAME fuzz` runs; they take clang, and AFL++.  Made with all the rest when nmrcheck
#                               is installed, else when they are named, for they compile nmrcheck once more each
#
# tests, for a project that says enable_testing():
#
#   NAME.corpus                 the kept scenarios still have the verdict that stands in them
#   NAME.check                  a few thousand executions: seconds
#
# and a target for a night:
#
#   NAME-campaign               `NAME fuzz` with each engine in turn, for NMRCHECK_CAMPAIGN_TIME seconds (8 hours)
#
# `NAME keep` writes into CORPUS; findings go to nmrcheck-out/NAME in the folder where NAME runs.
#
# In nmrcheck's own tree one program holds all modules:
#
#   nmrcheck_link_modules(target ALL | name ...)
#
# links modules into a program and generates the table `modules` of model/world.h for it.  There are more arguments:
#
#       [PARENT module RULE PA-4]   of a mutant …
#       [PATCH file]            … and how it differs from its parent, for `nmrcheck rules`
#       [ALONE]                 not part of ALL: linked only where named

include(${CMAKE_CURRENT_LIST_DIR}/llp64.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/wpp.cmake)
find_program(NMRCHECK_OBJCOPY objcopy REQUIRED)
find_program(NMRCHECK_NM nm REQUIRED)
find_program(NMRCHECK_READELF readelf REQUIRED)
find_program(NMRCHECK_LD ld REQUIRED)

function(nmrcheck_add_module)
    set(values NAME C_STANDARD INIT EXIT COUNTERPARTS_MAX SUMMARY CORPUS PARENT RULE PATCH DESCRIPTION)
    set(lists SOURCES INCLUDES DEFINES ROLE NPI ENTRIES)
    cmake_parse_arguments(PARSE_ARGV 0 m "ALONE;QUIET;LLP64" "${values}" "${lists}")
    if(NOT m_NAME MATCHES "^[A-Za-z_][A-Za-z0-9_]*$" OR NOT m_SOURCES OR m_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "nmrcheck_add_module: needs NAME (a C identifier) and SOURCES; '${m_UNPARSED_ARGUMENTS}'?")
    endif()
    set(default_COUNTERPARTS_MAX 0)
    set(default_C_STANDARD 11)
    set(default_CORPUS corpus/${m_NAME})
    foreach(argument IN LISTS values lists)
        if(NOT DEFINED m_${argument})
            set(m_${argument} ${default_${argument}})
        endif()
    endforeach()
    list(TRANSFORM m_SOURCES REPLACE "^([^/].*)$" "${CMAKE_CURRENT_SOURCE_DIR}/\\1")
    if(m_NPI OR m_INIT)
        set(m_DESCRIPTION ${m_NAME})                        # a mutant has its parent's
    endif()
    if(nmrcheck_IS_TOP_LEVEL)
        set(m_CORPUS ${PROJECT_SOURCE_DIR}/corpus/${m_NAME})
    endif()
    cmake_path(ABSOLUTE_PATH m_CORPUS NORMALIZE)
    nmrcheck_wpp(m_WPP ${m_NAME} FOLDERS ${m_INCLUDES} SOURCES ${m_SOURCES})
    # What is known of a module is kept for nmrcheck_link_modules, and for mutants.
    foreach(argument IN ITEMS ${values} ${lists} QUIET WPP)
        set_property(GLOBAL PROPERTY nmrcheck_module_${m_NAME}_${argument} "${m_${argument}}")
    endforeach()

    if(nmrcheck_IS_TOP_LEVEL)
        nmrcheck_compile_module(${m_NAME})
        if(NOT m_ALONE)
            set_property(GLOBAL APPEND PROPERTY nmrcheck_modules ${m_NAME})
        endif()
        return()
    endif()
    nmrcheck_builds(builds)
    if(NOT builds)
        message(FATAL_ERROR "nmrcheck_add_module: nmrcheck is not known here: find_package(nmrcheck) belongs into this \
folder's CMakeLists.txt, or that of a folder around it")
    endif()
    list(GET builds 0 first)
    foreach(NMRCHECK_BUILD IN LISTS builds)
        nmrcheck_compile_module(${m_NAME})
        if(NOT NMRCHECK_BUILD STREQUAL first)               # so that what is missing is listed once
            add_dependencies(isolate_${m_NAME}_${NMRCHECK_BUILD} isolate_${m_NAME}_${first})
        endif()
        nmrcheck_add_user_program(${m_NAME})
    endforeach()
    nmrcheck_add_user_tests(${m_NAME})
endfunction()

# The builds of nmrcheck that are there for the caller.  Of those without a fuzzer one is enough.
function(nmrcheck_builds variable)
    set(builds)
    foreach(build IN ITEMS check plain coverage)
        if(TARGET nmrcheck::${build}_program AND NOT builds)
            set(builds ${build})
        endif()
    endforeach()
    foreach(build IN ITEMS fuzz afl)
        if(TARGET nmrcheck::${build}_program)
            list(APPEND builds ${build})
        endif()
    endforeach()
    set(${variable} ${builds} PARENT_SCOPE)
endfunction()

# Where what is generated for a build goes.
function(nmrcheck_generated variable)
    set(${variable} ${CMAKE_CURRENT_BINARY_DIR}/nmrcheck/${NMRCHECK_BUILD} PARENT_SCOPE)
    if(nmrcheck_IS_TOP_LEVEL)
        set(${variable} ${PROJECT_BINARY_DIR}/modules PARENT_SCOPE)
    endif()
endfunction()

# The object of a module for the build NMRCHECK_BUILD.
function(nmrcheck_compile_module name)
    foreach(argument IN ITEMS SOURCES INCLUDES DEFINES C_STANDARD NPI INIT DESCRIPTION QUIET PARENT WPP)
        get_property(${argument} GLOBAL PROPERTY nmrcheck_module_${name}_${argument})
    endforeach()
    set(library module_${name}_${NMRCHECK_BUILD})
    add_library(${library} OBJECT ${SOURCES})
    target_link_libraries(${library} PRIVATE nmrcheck::${NMRCHECK_BUILD}_module)
    target_include_directories(${library} PRIVATE ${INCLUDES} ${WPP})
    target_compile_definitions(${library} PRIVATE ${DEFINES})
    nmrcheck_llp64(${library})
    nmrcheck_keep_to_ourselves(${library} ${C_STANDARD})
    if(QUIET OR PARENT)
        target_compile_options(${library} PRIVATE -w)
    else()
        nmrcheck_add_warnings(${library})
    endif()

    if(NPI OR INIT)
        nmrcheck_compile_description(${name} INCLUDES $<TARGET_PROPERTY:${library},INCLUDE_DIRECTORIES>)
    endif()
    set(libraries ${library})
    if(DESCRIPTION)
        list(APPEND libraries description_${DESCRIPTION}_${NMRCHECK_BUILD})
    endif()
    set(objects)
    foreach(part IN LISTS libraries)
        list(APPEND objects $<TARGET_OBJECTS:${part}>)
    endforeach()

    nmrcheck_generated(folder)
    set(object ${folder}/${name}.o)
    set(scripts ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
    set(functions ${scripts}/functions.txt)                 # installed
    if(NOT EXISTS ${functions})
        set(functions ${scripts}/../model/wdk/functions.txt)
    endif()
    add_custom_command(
        OUTPUT ${object}
        COMMAND ${CMAKE_COMMAND} -E env NMRCHECK_OBJCOPY=${NMRCHECK_OBJCOPY} NMRCHECK_NM=${NMRCHECK_NM}
                NMRCHECK_READELF=${NMRCHECK_READELF} NMRCHECK_LD=${NMRCHECK_LD}
                NMRCHECK_LIBRARY=$<TARGET_FILE:nmrcheck::${NMRCHECK_BUILD}_model> NMRCHECK_FUNCTIONS=${functions}
                ${scripts}/isolate.sh ${name} ${object} ${objects}
        DEPENDS ${scripts}/isolate.sh ${scripts}/missing.sh ${objects}
        COMMAND_EXPAND_LISTS VERBATIM
        COMMENT "Isolating module ${name}")
    add_custom_target(isolate_${name}_${NMRCHECK_BUILD} DEPENDS ${object})
    # The model has to be there, not to be older.
    add_dependencies(isolate_${name}_${NMRCHECK_BUILD} ${libraries} nmrcheck::${NMRCHECK_BUILD}_model)
    set_property(GLOBAL PROPERTY nmrcheck_module_${name}_OBJECT_${NMRCHECK_BUILD} ${object})
endfunction()

# Whatever the project says for its own targets.
function(nmrcheck_keep_to_ourselves target standard)
    set_target_properties(${target} PROPERTIES C_STANDARD ${standard} C_STANDARD_REQUIRED ON C_EXTENSIONS ON
        INTERPROCEDURAL_OPTIMIZATION OFF UNITY_BUILD OFF C_VISIBILITY_PRESET default)
endfunction()

# Of our own tree all, of others what the compiler says unasked.
function(nmrcheck_add_warnings target)
    if(nmrcheck_IS_TOP_LEVEL)
        target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-unused-parameter
            $<$<BOOL:${NMRCHECK_WERROR}>:-Werror>)
    endif()
endfunction()

# The part of a module that is not the driver's: its NPI description, and DriverEntry when the driver has none.
function(nmrcheck_compile_description name)
    cmake_parse_arguments(PARSE_ARGV 1 d "" "" "INCLUDES")
    foreach(argument IN ITEMS NPI INIT EXIT DEFINES C_STANDARD)
        get_property(d_${argument} GLOBAL PROPERTY nmrcheck_module_${name}_${argument})
    endforeach()
    set(sources ${d_NPI})
    if(d_INIT)
        nmrcheck_generated(folder)
        set(file ${folder}/${name}_entry.c)
        set(declare_exit)
        set(call_exit)
        if(d_EXIT)
            set(declare_exit "VOID ${d_EXIT}(VOID);")
            set(call_exit "${d_EXIT}();")
        endif()
        configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/entry.c.in ${file} @ONLY)
        list(APPEND sources ${file})
    endif()
    set(library description_${name}_${NMRCHECK_BUILD})
    add_library(${library} OBJECT ${sources})
    target_link_libraries(${library} PRIVATE nmrcheck::${NMRCHECK_BUILD}_description)
    target_include_directories(${library} PRIVATE ${d_INCLUDES})
    target_compile_definitions(${library} PRIVATE ${d_DEFINES})
    nmrcheck_add_warnings(${library})
    nmrcheck_llp64(${library})
    nmrcheck_keep_to_ourselves(${library} ${d_C_STANDARD})
endfunction()

# A module's program in somebody's project: NAME, NAME-libfuzzer or NAME-afl.
function(nmrcheck_add_user_program name)
    set(ending_fuzz -libfuzzer)
    set(ending_afl -afl)
    set(program ${name}${ending_${NMRCHECK_BUILD}})
    add_executable(${program})
    target_link_libraries(${program} PRIVATE nmrcheck::${NMRCHECK_BUILD}_program)
    nmrcheck_keep_to_ourselves(${program} 11)
    nmrcheck_link_modules(${program} ${name})
    # Without an installed copy this is all of nmrcheck a second and a third time.
    get_target_property(installed nmrcheck::${NMRCHECK_BUILD}_program IMPORTED)
    if(NOT installed AND NMRCHECK_BUILD MATCHES "^(fuzz|afl)$")
        set_target_properties(${program} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
endfunction()

# What is done with these programs.
function(nmrcheck_add_user_tests name)
    add_test(NAME ${name}.corpus COMMAND ${name} replay --check)
    # Some seconds: no more is promised than that what is easy to find is not there.
    add_test(NAME ${name}.check
        COMMAND ${name} check --executions=2000 --time=0 --fresh --out nmrcheck-out/${name}.check)
    set(engines)
    foreach(engine IN ITEMS libfuzzer afl)
        if(TARGET ${name}-${engine})
            list(APPEND engines ${engine})
        endif()
    endforeach()
    if(NOT engines)
        return()
    endif()
    set(NMRCHECK_CAMPAIGN_TIME 28800 CACHE STRING "seconds that a campaign takes, all engines together")
    set(script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/campaign.sh)
    add_custom_target(${name}-campaign USES_TERMINAL VERBATIM
        COMMAND ${script} $<TARGET_FILE:${name}> ${NMRCHECK_CAMPAIGN_TIME} ${engines})
    list(TRANSFORM engines PREPEND ${name}- OUTPUT_VARIABLE programs)
    add_dependencies(${name}-campaign ${name} ${programs})
    if(TARGET nmrcheck::afl_mutator AND TARGET ${name}-afl)
        target_compile_definitions(${name} PRIVATE NMRCHECK_AFL_MUTATOR="$<TARGET_FILE:nmrcheck::afl_mutator>")
        add_dependencies(${name}-afl nmrcheck::afl_mutator)
    endif()
endfunction()

function(nmrcheck_link_modules target)
    set(names ${ARGN})
    if(names STREQUAL ALL)
        get_property(names GLOBAL PROPERTY nmrcheck_modules)
    endif()
    list(SORT names)
    set(declarations)
    set(rows)
    set(pointers)
    set(objects)
    set(patches)
    foreach(name IN LISTS names)
        foreach(property IN ITEMS ROLE COUNTERPARTS_MAX SUMMARY PARENT RULE ENTRIES PATCH CORPUS)
            get_property(${property} GLOBAL PROPERTY nmrcheck_module_${name}_${property})
        endforeach()
        foreach(property IN ITEMS PARENT RULE)
            if(${property})
                set(${property} "\"${${property}}\"")
            else()
                set(${property} NULL)
            endif()
        endforeach()
        foreach(text IN ITEMS SUMMARY CORPUS)
            string(REPLACE "\\" "\\\\" ${text} "${${text}}")
            string(REPLACE "\"" "\\\"" ${text} "${${text}}")
        endforeach()
        string(APPEND declarations "MODULE(${name})\n")
        set(patch NULL)
        if(PATCH)
            string(APPEND declarations "TEXT(patch_of_${name}, \"${PATCH}\")\n")
            list(APPEND patches ${PATCH})
            set(patch patch_of_${name})
        endif()
        set(roles 0)
        foreach(role IN LISTS ROLE)
            if(NOT role MATCHES "^(provider|client|both)$")
                message(FATAL_ERROR "nmrcheck_add_module: ${name}: ROLE '${role}' is not provider, client or both")
            endif()
            if(NOT role STREQUAL provider)
                string(APPEND roles " | 1u << SIDE_CLIENT")
            endif()
            if(NOT role STREQUAL client)
                string(APPEND roles " | 1u << SIDE_PROVIDER")
            endif()
        endforeach()
        set(entries NULL)
        foreach(entry IN LISTS ENTRIES)
            string(APPEND declarations "extern NTSTATUS NTAPI ${name}__${entry}(ULONG argument);\n")
        endforeach()
        if(ENTRIES)
            list(TRANSFORM ENTRIES REPLACE "(.+)" "{\"\\1\", ${name}__\\1}")
            list(JOIN ENTRIES ", " ENTRIES)
            set(entries "(const struct npi_operation[]){${ENTRIES}, {NULL, NULL}}")
        endif()
        string(APPEND rows "static const struct module module_${name} = {\n    {\"${name}\", ${name}__DriverEntry, "
            "__start_nmrdata_${name}, __stop_nmrdata_${name}},\n    ${PARENT}, ${RULE}, "
            "${name}__nmrcheck_npis, ${roles},\n    ${COUNTERPARTS_MAX}, \"${SUMMARY}\", ${entries}, "
            "${name}__nmrcheck_operations,\n    ${name}__nmrcheck_registry, ${patch}, \"${CORPUS}\"};\n")
        string(APPEND pointers "    &module_${name},\n")
        get_property(object GLOBAL PROPERTY nmrcheck_module_${name}_OBJECT_${NMRCHECK_BUILD})
        list(APPEND objects ${object})
        add_dependencies(${target} isolate_${name}_${NMRCHECK_BUILD})
    endforeach()
    list(LENGTH names count)
    nmrcheck_generated(folder)
    set(table ${folder}/${target}_modules.c)
    configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/modules.c.in ${table} @ONLY)
    set_source_files_properties(${table} PROPERTIES OBJECT_DEPENDS "${patches}")
    set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
    target_sources(${target} PRIVATE ${table} ${objects})
endfunction()
