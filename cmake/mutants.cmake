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
