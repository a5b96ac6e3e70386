# Modules under test: how driver sources become part of our programs.
#
#   nmrcheck_add_module(NAME name SOURCES file.c ...
#       [NPI npi.c ...]         the NPI description, in C: see nmrcheck/npi.h.  It is linked into the module, but not
#                               watched: it may call the module's functions, and stand in for functions that it lacks
#       [ROLE provider|client|both]   with a description: the module takes that side, in NPIs of the description, and no
#                               other; without ROLE whatever it registers is right
#       [INIT Function]         of a module without DriverEntry: called in its place, with its two arguments, …
#       [EXIT Function]         … and this one, without any, in DriverUnload's
#       [COUNTERPARTS_MAX n]    bindings it serves at once; default any number
#       [ENTRIES Function ...]  entry points of its own: NTSTATUS NTAPI Function(ULONG Argument), which other parts of
#                               the system call from any thread between load and unload
#       [SUMMARY "one line"]    for `nmrcheck list`
#       [PARENT module RULE PA-4]   of a mutant …
#       [PATCH file]            … and how it differs from its parent, for `nmrcheck rules`
#       [INCLUDES folder ...]   for its own headers, beside the folders of its sources
#                               (a source may include "x.tmh" of WPP: see wpp.cmake)
#       [QUIET]                 without warnings: code that is wrong on purpose, or not ours to mend; mutants are
#       [ALONE])                not part of ALL: linked only where named
#
# The sources are compiled as kernel code sees them: the WDK shim and their own folder, nothing of ours.  Then
# isolate.sh gives the object names and sections of its own, so that all modules fit in one program.
#
#   nmrcheck_link_modules(target ALL | name ...)
#
# links modules into a program and generates the table `modules` of model/world.h for it.

include(wpp)
find_program(NMRCHECK_OBJCOPY objcopy REQUIRED)
find_program(NMRCHECK_NM nm REQUIRED)
find_program(NMRCHECK_READELF readelf REQUIRED)
find_program(NMRCHECK_LD ld REQUIRED)

function(nmrcheck_add_module)
    cmake_parse_arguments(PARSE_ARGV 0 m "ALONE;QUIET"
        "NAME;COUNTERPARTS_MAX;SUMMARY;PARENT;RULE;PATCH;INIT;EXIT;DESCRIPTION" "SOURCES;INCLUDES;ROLE;NPI;ENTRIES")
    if(NOT m_NAME MATCHES "^[A-Za-z_][A-Za-z0-9_]*$" OR NOT m_SOURCES OR m_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "nmrcheck_add_module: needs NAME (a C identifier) and SOURCES; '${m_UNPARSED_ARGUMENTS}'?")
    endif()
    foreach(default IN ITEMS "COUNTERPARTS_MAX 0" "SUMMARY " "ENTRIES " "ROLE " "DESCRIPTION ")
        string(REGEX MATCH "^([A-Z_]+) (.*)$" _ "${default}")
        if(NOT DEFINED m_${CMAKE_MATCH_1})
            set(m_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
        endif()
    endforeach()

    set(library module_${m_NAME})
    add_library(${library} OBJECT ${m_SOURCES})
    target_link_libraries(${library} PRIVATE nmrcheck_wdk)
    nmrcheck_wpp(wpp ${m_NAME} FOLDERS ${m_INCLUDES} SOURCES ${m_SOURCES})
    target_include_directories(${library} PRIVATE ${m_INCLUDES} ${wpp})
    set_property(GLOBAL PROPERTY nmrcheck_module_${m_NAME}_WPP "${wpp}")
    target_compile_options(${library} PRIVATE ${NMRCHECK_MODULE_FLAGS})
    if(m_QUIET OR m_PARENT)
        target_compile_options(${library} PRIVATE -w)
    else()
        target_compile_options(${library} PRIVATE ${NMRCHECK_MODULE_WARNINGS})
    endif()

    # A mutant has its parent's.
    if(m_NPI OR m_INIT)
        set(m_DESCRIPTION description_${m_NAME})
        nmrcheck_add_description(${m_DESCRIPTION} SOURCES ${m_NPI} INIT "${m_INIT}" EXIT "${m_EXIT}"
            INCLUDES $<TARGET_PROPERTY:${library},INCLUDE_DIRECTORIES>)
    endif()
    set(objects $<TARGET_OBJECTS:${library}>)
    if(m_DESCRIPTION)
        list(APPEND objects $<TARGET_OBJECTS:${m_DESCRIPTION}>)
    endif()

    set(object ${PROJECT_BINARY_DIR}/modules/${m_NAME}.o)
    add_custom_command(
        OUTPUT ${object}
        COMMAND ${CMAKE_COMMAND} -E env NMRCHECK_OBJCOPY=${NMRCHECK_OBJCOPY} NMRCHECK_NM=${NMRCHECK_NM}
                NMRCHECK_READELF=${NMRCHECK_READELF} NMRCHECK_LD=${NMRCHECK_LD}
                NMRCHECK_LIBRARY=$<TARGET_FILE:nmrcheck_model>
                NMRCHECK_FUNCTIONS=${PROJECT_SOURCE_DIR}/model/wdk/functions.txt
                ${PROJECT_SOURCE_DIR}/cmake/isolate.sh ${m_NAME} ${object} ${objects}
        DEPENDS ${PROJECT_SOURCE_DIR}/cmake/isolate.sh ${PROJECT_SOURCE_DIR}/cmake/missing.sh ${objects}
        COMMAND_EXPAND_LISTS VERBATIM
        COMMENT "Isolating module ${m_NAME}")
    add_custom_target(isolate_${m_NAME} DEPENDS ${object})
    add_dependencies(isolate_${m_NAME} nmrcheck_model)      # to be there, not to be older

    foreach(property IN ITEMS NAME ROLE DESCRIPTION COUNTERPARTS_MAX SUMMARY PARENT RULE ENTRIES PATCH)
        set_property(GLOBAL PROPERTY nmrcheck_module_${m_NAME}_${property} "${m_${property}}")
    endforeach()
    set(sources)
    foreach(source IN LISTS m_SOURCES)
        get_filename_component(source ${source} ABSOLUTE)
        list(APPEND sources ${source})
    endforeach()
    set_property(GLOBAL PROPERTY nmrcheck_module_${m_NAME}_SOURCES "${sources}")
    set_property(GLOBAL PROPERTY nmrcheck_module_${m_NAME}_INCLUDES "${m_INCLUDES}")
    if(NOT m_ALONE)
        set_property(GLOBAL APPEND PROPERTY nmrcheck_modules ${m_NAME})
    endif()
endfunction()

# The part of a module that is not the driver's: its NPI description, and DriverEntry when the driver has none.
function(nmrcheck_add_description target)
    cmake_parse_arguments(PARSE_ARGV 1 d "" "INIT;EXIT" "SOURCES;INCLUDES")
    if(d_INIT)
        set(file ${PROJECT_BINARY_DIR}/modules/${target}_entry.c)
        set(declare_exit)
        set(call_exit)
        if(d_EXIT)
            set(declare_exit "VOID ${d_EXIT}(VOID);")
            set(call_exit "${d_EXIT}();")
        endif()
        configure_file(${PROJECT_SOURCE_DIR}/cmake/entry.c.in ${file} @ONLY)
        list(APPEND d_SOURCES ${file})
    endif()
    add_library(${target} OBJECT ${d_SOURCES})
    target_link_libraries(${target} PRIVATE nmrcheck_wdk)
    target_include_directories(${target} PRIVATE ${NMRCHECK_NPI_INCLUDES} ${d_INCLUDES})
    target_compile_options(${target} PRIVATE ${NMRCHECK_MODULE_WARNINGS} ${NMRCHECK_DESCRIPTION_FLAGS})
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
        foreach(property IN ITEMS ROLE COUNTERPARTS_MAX SUMMARY PARENT RULE ENTRIES PATCH)
            get_property(${property} GLOBAL PROPERTY nmrcheck_module_${name}_${property})
        endforeach()
        foreach(property IN ITEMS PARENT RULE)
            if(${property})
                set(${property} "\"${${property}}\"")
            else()
                set(${property} NULL)
            endif()
        endforeach()
        string(REPLACE "\\" "\\\\" SUMMARY "${SUMMARY}")
        string(REPLACE "\"" "\\\"" SUMMARY "${SUMMARY}")
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
            "${name}__nmrcheck_operations,\n    ${patch}};\n")
        string(APPEND pointers "    &module_${name},\n")
        list(APPEND objects ${PROJECT_BINARY_DIR}/modules/${name}.o)
        add_dependencies(${target} isolate_${name})
    endforeach()
    list(LENGTH names count)
    set(table ${PROJECT_BINARY_DIR}/modules/${target}_modules.c)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/modules.c.in ${table} @ONLY)
    set_source_files_properties(${table} PROPERTIES OBJECT_DEPENDS "${patches}")
    set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
    target_sources(${target} PRIVATE ${table} ${objects})
endfunction()

# nmrcheck_add_mutants(folder): each <name>.patch there becomes the module mutant_<name>, with '-' as '_'.
#
# A patch is a unified diff against the sources of its parent module, after comment lines that say which
# module that is, which rule it breaks and in what way:
#
#   # parent: exnpi_refcounted
#   # rule: PA-4
#   # Keeps the ProviderContext of a client that it refused.
#
# One that is named like a rule breaks that rule.  Any other name tells the mistake; several may break one rule.
function(nmrcheck_add_mutants folder)
    find_program(NMRCHECK_PATCH patch REQUIRED)
    file(GLOB patches CONFIGURE_DEPENDS ${folder}/*.patch)
    foreach(patch IN LISTS patches)
        get_filename_component(mistake ${patch} NAME_WE)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${patch})
        file(STRINGS ${patch} head LIMIT_COUNT 3)
        list(TRANSFORM head STRIP)
        if(NOT head MATCHES "^# parent: ([A-Za-z0-9_]+);# rule: ([A-Za-z0-9-]+);# ([^;]*)$")
            message(FATAL_ERROR
                "${patch}: must begin with three lines: '# parent: MODULE', '# rule: ID', '# what is wrong'")
        endif()
        set(parent ${CMAKE_MATCH_1})
        set(rule ${CMAKE_MATCH_2})
        set(summary "${CMAKE_MATCH_3}")
        if(mistake MATCHES "^[A-Z]+-[0-9]+$" AND NOT mistake STREQUAL rule)
            message(FATAL_ERROR "${patch}: breaks rule '${rule}', so name it ${rule}.patch or after the mistake")
        endif()
        get_property(parent_sources GLOBAL PROPERTY nmrcheck_module_${parent}_SOURCES)
        if(NOT parent_sources)
            message(FATAL_ERROR "${patch}: there is no module '${parent}'")
        endif()

        string(MAKE_C_IDENTIFIER mutant_${mistake} name)
        set(out ${PROJECT_BINARY_DIR}/mutants/${name})
        set(sources)
        get_property(includes GLOBAL PROPERTY nmrcheck_module_${parent}_INCLUDES)
        foreach(source IN LISTS parent_sources)
            get_filename_component(file ${source} NAME)
            get_filename_component(include ${source} DIRECTORY)
            list(APPEND sources ${out}/${file})
            list(APPEND includes ${include})
        endforeach()
        list(REMOVE_DUPLICATES includes)
        add_custom_command(
            OUTPUT ${sources}
            COMMAND ${PROJECT_SOURCE_DIR}/cmake/mutate.sh ${NMRCHECK_PATCH} ${patch} ${out} ${parent_sources}
            DEPENDS ${PROJECT_SOURCE_DIR}/cmake/mutate.sh ${patch} ${parent_sources}
            VERBATIM
            COMMENT "Making ${name} from ${parent}")
        set(like_parent)
        foreach(property IN ITEMS ROLE DESCRIPTION COUNTERPARTS_MAX ENTRIES)
            get_property(value GLOBAL PROPERTY nmrcheck_module_${parent}_${property})
            if(NOT value STREQUAL "")
                list(APPEND like_parent ${property} ${value})
            endif()
        endforeach()
        get_property(wpp GLOBAL PROPERTY nmrcheck_module_${parent}_WPP)
        nmrcheck_add_module(NAME ${name} SOURCES ${sources} ${like_parent}
            SUMMARY "${summary}" PARENT ${parent} RULE ${rule} PATCH ${patch} INCLUDES ${includes} ${wpp})
    endforeach()
endfunction()
