# Driver sources are written for Windows and MSVC: nmrcheck-cc compiles them as they are, whatever the compiler.  What
# it does is in msvc/rewrite.h; this is how it gets between CMake and the compiler.
#
#   nmrcheck_llp64(target)      the target's C sources are such sources

include(CheckCCompilerFlag)
block(PROPAGATE NMRCHECK_CC)            # the variables of whoever includes this are not ours

# Installed, it lies beside this file.  Else it is built, for the machine that builds.
set(NMRCHECK_CC ${CMAKE_CURRENT_LIST_DIR}/nmrcheck-cc)
set(functions ${CMAKE_CURRENT_LIST_DIR}/functions.txt)
if(NOT EXISTS ${NMRCHECK_CC})
    set(compiler ${CMAKE_C_COMPILER})
    if(CMAKE_CROSSCOMPILING)
        find_program(NMRCHECK_HOST_COMPILER NAMES cc gcc clang REQUIRED)
        set(compiler ${NMRCHECK_HOST_COMPILER})
    endif()
    set(folder ${CMAKE_CURRENT_LIST_DIR}/../msvc)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
    file(GLOB headers CONFIGURE_DEPENDS ${folder}/*.h)
    set(NMRCHECK_CC ${PROJECT_BINARY_DIR}/nmrcheck-cc)
    set(functions ${PROJECT_SOURCE_DIR}/model/wdk/functions.txt)
    add_custom_command(
        OUTPUT ${NMRCHECK_CC}
        COMMAND ${compiler} -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -o ${NMRCHECK_CC} ${sources}
        DEPENDS ${sources} ${headers}
        VERBATIM
        COMMENT "Building nmrcheck-cc")
    add_custom_target(nmrcheck_cc ALL DEPENDS ${NMRCHECK_CC})
endif()
set(NMRCHECK_CC_WORDS ${NMRCHECK_CC} --functions=${functions} CACHE INTERNAL "compiles driver sources")

# MSVC's char, and its layout of bit-fields.
set(flags -fsigned-char)
check_c_compiler_flag(-mms-bitfields NMRCHECK_HAS_MS_BITFIELDS)
if(NMRCHECK_HAS_MS_BITFIELDS)
    list(APPEND flags -mms-bitfields)
endif()
# A driver sees the WDK's headers and those that the compiler brings, no C library.
if(CMAKE_C_COMPILER_ID MATCHES Clang)
    list(APPEND flags -nostdlibinc -Wno-microsoft -Wno-unknown-warning-option -Wno-deprecated-non-prototype)
else()
    execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include OUTPUT_VARIABLE folder
        OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND flags -nostdinc "SHELL:-isystem ${folder}")
endif()
set(NMRCHECK_CC_FLAGS ${flags} CACHE INTERNAL "flags for driver sources")
endblock()

function(nmrcheck_llp64 target)
    get_target_property(sources ${target} SOURCES)
    foreach(source IN LISTS sources)
        if(source MATCHES "\\.([cC][pP][pP]|cc|[cC][xX][xX]|C)$")
            message(FATAL_ERROR "${source}: this is C++, and only drivers in C can be tested: leave the file out of "
                "SOURCES, and stand in for its functions in the NPI description")
        endif()
    endforeach()
    list(GET NMRCHECK_CC_WORDS 0 program)
    set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${program})
    if(TARGET nmrcheck_cc)
        add_dependencies(${target} nmrcheck_cc)
    endif()
    set(launcher ${NMRCHECK_CC_WORDS} --folder=${CMAKE_CURRENT_BINARY_DIR}/headers/${target})
    foreach(word IN LISTS CMAKE_C_COMPILER_LAUNCHER)
        list(APPEND launcher --through=${word})
    endforeach()
    set_target_properties(${target} PROPERTIES C_COMPILER_LAUNCHER "${launcher}")
    target_compile_options(${target} PRIVATE ${NMRCHECK_CC_FLAGS})
endfunction()
