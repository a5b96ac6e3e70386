# nmrcheck_add_test(name SOURCES file.c ... [LINK target ...] [MODULES ALL | name ...]): a cmocka program as a test.
#
# nmrcheck_add_tests(LINK target ... [MODULES ...]): each tests/test_*.c of this folder is such a program; other
# .c files there are helpers, linked into each.  tests/test_*.sh are tests, too: called with the nmrcheck program and
# the name of a scratch folder.  So a new test is a new file.

function(nmrcheck_add_test name)
    cmake_parse_arguments(PARSE_ARGV 1 t "" "" "SOURCES;LINK;MODULES")
    add_executable(${name} ${t_SOURCES})
    target_link_libraries(${name} PRIVATE nmrcheck_flags ${t_LINK} cmocka)
    target_compile_definitions(${name} PRIVATE NMRCHECK_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
        NMRCHECK_BINARY_DIR="${PROJECT_BINARY_DIR}")
    if(t_MODULES)
        nmrcheck_link_modules(${name} ${t_MODULES})
    endif()
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

function(nmrcheck_add_tests)
    cmake_parse_arguments(PARSE_ARGV 0 t "" "" "LINK;MODULES")
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/test_*.c)
    file(GLOB helpers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/*.c)
    list(REMOVE_ITEM helpers ${tests})
    foreach(source IN LISTS tests)
        get_filename_component(name ${source} NAME_WE)
        nmrcheck_add_test(${name} SOURCES ${source} ${helpers} LINK ${t_LINK} MODULES ${t_MODULES})
    endforeach()
    file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/test_*.sh)
    foreach(script IN LISTS scripts)
        get_filename_component(name ${script} NAME_WE)
        add_test(NAME ${name} COMMAND ${script} $<TARGET_FILE:nmrcheck> ${PROJECT_BINARY_DIR}/scratch/${name}
            WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
    endforeach()
endfunction()
