# What a build needs beside a compiler, asked for here so that what is missing is one clear line, not a link error
# an hour later.  `./run` installs all of it on Debian and Ubuntu.
include(CheckCSourceCompiles)

string(REGEX MATCH "^[0-9]+" compiler_major "${CMAKE_C_COMPILER_VERSION}")
if(CMAKE_C_COMPILER_ID MATCHES Clang AND CMAKE_C_COMPILER_VERSION VERSION_LESS 14)
    message(FATAL_ERROR "clang ${CMAKE_C_COMPILER_VERSION} is too old: 14 is the oldest that this was tried with")
endif()

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

set(empty_program "int main(void) { return 0; }")
set(empty_target "#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { (void)data; (void)size; return 0; }")

# From clang 16 on the runtimes are a package of their own, which the compiler does not depend on.
set(runtime_advice "install libclang-rt-${compiler_major}-dev")
if(NMRCHECK_BUILD MATCHES "^(check|fuzz)$")
    nmrcheck_require(NMRCHECK_HAS_ASAN "-fsanitize=address,undefined" "${empty_program}" "${runtime_advice}")
endif()
if(NMRCHECK_BUILD STREQUAL fuzz)
    # Under AFL++'s wrapper this flag would quietly mean AFL++'s driver.
    if(CMAKE_C_COMPILER MATCHES "afl-")
        message(FATAL_ERROR "${CMAKE_C_COMPILER} is AFL++'s wrapper: use plain clang, also for the afl preset")
    endif()
    nmrcheck_require(NMRCHECK_HAS_LIBFUZZER "-fsanitize=address,fuzzer" "${empty_target}"
        "${runtime_advice}, and a C++ library for it (libstdc++-12-dev or newer)")
endif()
if(NMRCHECK_BUILD STREQUAL coverage)
    nmrcheck_require(NMRCHECK_HAS_PROFILE "-fprofile-instr-generate" "${empty_program}" "${runtime_advice}")
    foreach(tool IN ITEMS profdata cov)     # of the compiler's version: older ones do not read its files
        file(REAL_PATH ${CMAKE_C_COMPILER} compiler)
        cmake_path(GET compiler PARENT_PATH compiler_folder)
        find_program(NMRCHECK_LLVM_${tool} NAMES llvm-${tool}-${compiler_major} llvm-${tool} HINTS ${compiler_folder})
        if(NOT NMRCHECK_LLVM_${tool})
            message(FATAL_ERROR "llvm-${tool} is missing: install llvm-${compiler_major}")
        endif()
    endforeach()
endif()
if(NMRCHECK_BUILD STREQUAL afl)
    # Plain clang and AFL++'s two runtime files: no wrapper, so that any clang does and gcc's broken plugin
    # (afl-gcc-fast of Debian 12) does not matter.
    set(afl_folders $ENV{AFL_PATH} /usr/lib/afl /usr/local/lib/afl)
    find_file(NMRCHECK_AFL_DRIVER libAFLDriver.a PATHS ${afl_folders} NO_DEFAULT_PATH)
    find_file(NMRCHECK_AFL_RUNTIME afl-compiler-rt.o PATHS ${afl_folders} NO_DEFAULT_PATH)
    if(NOT NMRCHECK_AFL_DRIVER OR NOT NMRCHECK_AFL_RUNTIME)
        message(FATAL_ERROR "libAFLDriver.a or afl-compiler-rt.o is missing: install afl++, or set AFL_PATH")
    endif()
    set(NMRCHECK_AFL ${NMRCHECK_AFL_DRIVER} ${NMRCHECK_AFL_RUNTIME} -lstdc++ -lm)
    nmrcheck_require(NMRCHECK_HAS_AFL "" "${empty_target}" "afl++ and a C++ library must fit this compiler"
        ${NMRCHECK_AFL})
endif()

foreach(need IN ITEMS "xxhash.h libxxhash-dev" "jansson.h libjansson-dev" "cmocka.h libcmocka-dev")
    separate_arguments(need)
    list(GET need 0 header)
    list(GET need 1 package)
    find_file(NMRCHECK_${header} ${header})
    if(NOT NMRCHECK_${header})
        message(FATAL_ERROR "${header} is missing: install ${package}")
    endif()
endforeach()

# Another machine has other headers of the C library, so not those that lie beside them here.  xxHash is all header and
# fits any machine; the other two are used by programs that are not built then: see the preset aarch64.
if(CMAKE_CROSSCOMPILING)
    configure_file(${NMRCHECK_xxhash.h} ${PROJECT_BINARY_DIR}/include/xxhash.h COPYONLY)
    target_include_directories(nmrcheck_flags INTERFACE ${PROJECT_BINARY_DIR}/include)
endif()
