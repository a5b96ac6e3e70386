# What a build needs beside a compiler, asked for here so that what is missing is one clear line, not a link error
# an hour later.  `./run` installs all of it on Debian and Ubuntu.
#
#   nmrcheck_possible_builds(variable)      what this compiler can do, and what it lacks in a message
#   nmrcheck_prerequisites()                of the build NMRCHECK_BUILD: stops with a message when something is missing
#   nmrcheck_find_afl(variable)             what programs for AFL++ are linked with; empty: not installed
include(CheckCSourceCompiles)

# Does a program link with these flags?  CMake remembers the answer under `result`.
function(nmrcheck_require result flags source advice)
    set(CMAKE_REQUIRED_FLAGS "${flags}")
    set(CMAKE_REQUIRED_LIBRARIES ${ARGN})
    set(CMAKE_REQUIRED_QUIET ON)
    check_c_source_compiles("${source}" ${result})
    if(NOT ${result})
        unset(${result} CACHE)
        message(FATAL_ERROR "${CMAKE_C_COMPILER} cannot link with '${flags} ${ARGN}': ${advice}")
    endif()
endfunction()

# Plain clang and AFL++'s two runtime files: no wrapper, so that any clang does and gcc's broken plugin (afl-gcc-fast of
# Debian 12) does not matter.
function(nmrcheck_find_afl variable)
    set(folders $ENV{AFL_PATH} /usr/lib/afl /usr/local/lib/afl)
    find_file(NMRCHECK_AFL_DRIVER libAFLDriver.a PATHS ${folders} NO_DEFAULT_PATH)
    find_file(NMRCHECK_AFL_RUNTIME afl-compiler-rt.o PATHS ${folders} NO_DEFAULT_PATH)
    set(${variable} "" PARENT_SCOPE)
    if(NMRCHECK_AFL_DRIVER AND NMRCHECK_AFL_RUNTIME)
        set(${variable} ${NMRCHECK_AFL_DRIVER} ${NMRCHECK_AFL_RUNTIME} -lstdc++ -lm PARENT_SCOPE)
    endif()
endfunction()

function(nmrcheck_possible_builds variable)
    nmrcheck_find_afl(afl_libraries)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(STATUS "nmrcheck: AddressSanitizer and fuzzers take clang (-DCMAKE_C_COMPILER=clang)")
        set(${variable} plain PARENT_SCOPE)
    elseif(NOT afl_libraries)
        message(STATUS "nmrcheck: no programs for AFL++, which is not installed (package afl++, or set AFL_PATH)")
        set(${variable} check fuzz PARENT_SCOPE)
    else()
        set(${variable} check fuzz afl PARENT_SCOPE)
    endif()
endfunction()

function(nmrcheck_prerequisites)
    set(empty_program "int main(void) { return 0; }")
    set(empty_target "#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { (void)data; (void)size; return 0; }")

    string(REGEX MATCH "^[0-9]+" compiler_major "${CMAKE_C_COMPILER_VERSION}")
    if(CMAKE_C_COMPILER_ID MATCHES Clang AND CMAKE_C_COMPILER_VERSION VERSION_LESS 14)
        message(FATAL_ERROR
            "clang ${CMAKE_C_COMPILER_VERSION} is too old: 14 is the oldest that this was tried with")
    endif()
    # From clang 16 on the runtimes are a package of their own, which the compiler does not depend on.
    set(runtime_advice "install libclang-rt-${compiler_major}-dev")
    if(NMRCHECK_BUILD MATCHES "^(check|fuzz)$")
        nmrcheck_require(NMRCHECK_HAS_ASAN "-fsanitize=address,undefined" "${empty_program}" "${runtime_advice}")
    endif()
    if(NMRCHECK_BUILD STREQUAL fuzz)
        # Under AFL++'s wrapper this flag would quietly mean AFL++'s driver.
        if(CMAKE_C_COMPILER MATCHES "afl-")
            message(FATAL_ERROR
                "${CMAKE_C_COMPILER} is AFL++'s wrapper: use plain clang, also for the afl preset")
        endif()
        nmrcheck_require(NMRCHECK_HAS_LIBFUZZER "-fsanitize=address,fuzzer" "${empty_target}"
            "${runtime_advice}, and a C++ library for it (libstdc++-12-dev or newer)")
    endif()
    if(NMRCHECK_BUILD STREQUAL coverage)
        nmrcheck_require(NMRCHECK_HAS_PROFILE "-fprofile-instr-generate" "${empty_program}" "${runtime_advice}")
        foreach(tool IN ITEMS profdata cov)     # of the compiler's version: older ones do not read its files
            file(REAL_PATH ${CMAKE_C_COMPILER} compiler)
            cmake_path(GET compiler PARENT_PATH folder)
            find_program(NMRCHECK_LLVM_${tool} NAMES llvm-${tool}-${compiler_major} llvm-${tool} HINTS ${folder})
            if(NOT NMRCHECK_LLVM_${tool})
                message(FATAL_ERROR "llvm-${tool} is missing: install llvm-${compiler_major}")
            endif()
        endforeach()
    endif()
    if(NMRCHECK_BUILD STREQUAL afl)
        nmrcheck_find_afl(afl_libraries)
        if(NOT afl_libraries)
            message(FATAL_ERROR
                "libAFLDriver.a or afl-compiler-rt.o is missing: install afl++, or set AFL_PATH")
        endif()
        nmrcheck_require(NMRCHECK_HAS_AFL "" "${empty_target}" "afl++ and a C++ library must fit this compiler"
            ${afl_libraries})
    endif()

    set(headers "xxhash.h libxxhash-dev" "jansson.h libjansson-dev")
    if(NMRCHECK_TESTS)
        list(APPEND headers "cmocka.h libcmocka-dev")
    endif()
    foreach(need IN LISTS headers)
        separate_arguments(need)
        list(GET need 0 header)
        list(GET need 1 package)
        find_file(NMRCHECK_${header} ${header})
        if(NOT NMRCHECK_${header})
            message(FATAL_ERROR "${header} is missing: install ${package}")
        endif()
    endforeach()
endfunction()
