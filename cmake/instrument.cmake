# How a build is instrumented.  One variable chooses; the presets set it.  Included once for each build; nothing here
# touches a directory, since it may be that of somebody else's project: flags are those of two targets.
#
#   NMRCHECK_BUILD  our own code    module code                             for
#   check           ASan, UBSan     ASan, UBSan (trap), hooks               tests, replay, exploration
#   fuzz            -               the same, and libFuzzer's coverage      libFuzzer programs
#   afl             -               hooks, AFL++'s coverage                 AFL++ program
#   plain           -               hooks                                   gcc or clang, determinism, speed
#   coverage        llvm coverage   llvm coverage, hooks                    which of our code tests reach
#
# Hooks: module code is always compiled so that the kernel model sees each load, store and atomic operation
# (model/kernel/hooks.c, atomics.c), by the compiler half of -fsanitize=thread; its runtime is never linked.  clang's
# driver refuses that beside AddressSanitizer, for the runtimes would clash.  The compiler itself (-Xclang) does not,
# and puts each hook before the check of the same access.
#
# UBSan in module code leaves out what the kernel model judges itself, so that one scenario has one verdict in all
# builds: null pointers, alignment, pointers that are only computed.  A hit there is a trap (SIGILL), which is a
# finding of the module; in our own code it is our bug and aborts with a message.
#
# Stack variables never move to the heap (use-after-return detection): their addresses would differ between
# executions and builds.

include(CheckCCompilerFlag)

set(NMRCHECK_OPT "" CACHE STRING "optimisation flags; empty: what suits NMRCHECK_BUILD")
option(NMRCHECK_LTO "optimise our own code across files when linking" OFF)
option(NMRCHECK_WERROR "warnings in our own code are errors" OFF)

set(asan -fsanitize=address)
# An error in module code is a finding, after which the process goes on (model/kernel/sanitizer.c).
set(module_asan -fsanitize-recover=address)
set(module_ubsan -fsanitize=undefined -fsanitize-trap=undefined
    -fno-sanitize=null,alignment,pointer-overflow,object-size,function)
if(CMAKE_C_COMPILER_ID MATCHES Clang)
    list(APPEND asan -fsanitize-address-use-after-return=never)
    # Newer clangs tie each global's description to its section, which isolate.sh renames.
    check_c_compiler_flag(-fno-sanitize-address-globals-dead-stripping NMRCHECK_HAS_GLOBALS_FLAG)
    if(NMRCHECK_HAS_GLOBALS_FLAG)
        list(APPEND asan -fno-sanitize-address-globals-dead-stripping)
    endif()
    # The read of x |= 1, too: it is where a wild pointer faults.
    set(hooks "SHELL:-Xclang -fsanitize=thread" "SHELL:-mllvm -tsan-instrument-func-entry-exit=0"
        "SHELL:-mllvm -tsan-instrument-read-before-write=1" "SHELL:-mllvm -tsan-distinguish-volatile=1")
else()
    set(hooks -fsanitize=thread "SHELL:--param tsan-instrument-func-entry-exit=0"
        "SHELL:--param tsan-distinguish-volatile=1")
    if(NOT NMRCHECK_BUILD STREQUAL plain)
        message(FATAL_ERROR "NMRCHECK_BUILD=${NMRCHECK_BUILD} needs clang; ${CMAKE_C_COMPILER_ID} can only do plain")
    endif()
endif()

set(our_flags)
set(link_flags)
if(NMRCHECK_BUILD STREQUAL check)
    set(default_opt -O1)
    set(our_flags ${asan} -fsanitize=undefined -fno-sanitize-recover=all)
    set(module_flags ${asan} ${module_asan} ${module_ubsan} ${hooks})
    set(link_flags -fsanitize=address,undefined)
elseif(NMRCHECK_BUILD STREQUAL fuzz)
    set(default_opt -O2)
    # Ours tells the sanitizer of the pool and of stacks, as this macro asks for, but its own accesses are not checked:
    # that is the check build's business, and costs half of the executions.
    set(our_flags -D__SANITIZE_ADDRESS__=1)
    # Not -fsanitize=fuzzer: that adds stack depth, which makes new "features" out of each fiber's address, and
    # trace-cmp, which makes them out of compared pointers, so that a campaign with a seed could not be repeated.
    set(module_flags ${asan} ${module_asan} ${module_ubsan} ${hooks}
        -fsanitize-coverage=inline-8bit-counters,pc-table)
    set(link_flags -fsanitize=address)
elseif(NMRCHECK_BUILD STREQUAL afl)
    set(default_opt -O2)
    set(module_flags ${hooks} -fsanitize-coverage=trace-pc-guard)
elseif(NMRCHECK_BUILD STREQUAL plain)
    set(default_opt -O2)
    set(module_flags ${hooks})
elseif(NMRCHECK_BUILD STREQUAL coverage)
    set(default_opt -O1)
    # %m: one file for each program, into which its runs are merged.  coverage.sh reads them.
    set(profile -fprofile-instr-generate=${PROJECT_BINARY_DIR}/profiles/%m.profraw)
    set(our_flags ${profile} -fcoverage-mapping)
    set(module_flags ${profile} -fcoverage-mapping ${hooks})
    set(link_flags ${profile})
else()
    message(FATAL_ERROR "NMRCHECK_BUILD is '${NMRCHECK_BUILD}'; it must be check, fuzz, afl, plain or coverage")
endif()

# An archiver that cannot read what the compiler writes is an error only when linking.
set(lto ${NMRCHECK_LTO})
if(lto AND CMAKE_C_COMPILER_ID MATCHES Clang AND CMAKE_C_COMPILER_AR)
    string(REGEX MATCH "^[0-9]+" compiler_major "${CMAKE_C_COMPILER_VERSION}")
    execute_process(COMMAND ${CMAKE_C_COMPILER_AR} --version OUTPUT_VARIABLE archiver)
    if(NOT archiver MATCHES "LLVM version ${compiler_major}\\.")
        message(WARNING "nothing is optimised across files, since ${CMAKE_C_COMPILER_AR} is not of clang "
            "${compiler_major}: install llvm-${compiler_major}")
        set(lto OFF)
    endif()
endif()
if(lto)
    # wchar_t must have one size in all that is optimised together: the shim's.  Our own code has no use for it.
    list(APPEND our_flags -flto -fshort-wchar)
    list(APPEND link_flags -flto)
    if(NMRCHECK_BUILD STREQUAL plain)
        list(APPEND our_flags -fno-pie)     # no library takes this code in
        list(APPEND link_flags -no-pie)
    endif()
    if(NOT CMAKE_C_COMPILER_AR OR NOT CMAKE_C_COMPILER_RANLIB)
        message(FATAL_ERROR "NMRCHECK_LTO needs the compiler's own ar and ranlib: install llvm")
    endif()
    set(CMAKE_AR ${CMAKE_C_COMPILER_AR})
    set(CMAKE_RANLIB ${CMAKE_C_COMPILER_RANLIB})
endif()

separate_arguments(opt UNIX_COMMAND "${NMRCHECK_OPT}")
if(NOT opt)
    set(opt ${default_opt})
endif()
set(every_flags -g -fno-omit-frame-pointer ${opt})

# ---- our own code: link this target privately.
# An event's kind is EV_ENTER or EV_LEAVE plus a frame, of which newer clangs warn under -Wconversion.
check_c_compiler_flag(-Wenum-enum-conversion NMRCHECK_HAS_ENUM_WARNING)
add_library(${nmrcheck}_flags INTERFACE)
target_compile_definitions(${nmrcheck}_flags INTERFACE _GNU_SOURCE=)
target_compile_options(${nmrcheck}_flags INTERFACE ${every_flags} ${our_flags} -Wall -Wextra -Wconversion -Wshadow
    $<$<BOOL:${NMRCHECK_HAS_ENUM_WARNING}>:-Wno-enum-enum-conversion>
    $<$<BOOL:${NMRCHECK_WERROR}>:-Werror>)
target_link_options(${nmrcheck}_flags INTERFACE ${link_flags})
# Another machine has other headers of the C library, so not those that lie beside them here.  xxHash is all header and
# fits any machine; the other two are used by programs that are not built then: see the preset aarch64.
if(CMAKE_CROSSCOMPILING)
    configure_file(${NMRCHECK_xxhash.h} ${PROJECT_BINARY_DIR}/include/xxhash.h COPYONLY)
    target_include_directories(${nmrcheck}_flags INTERFACE ${PROJECT_BINARY_DIR}/include)
endif()

# ---- modules: driver code as it is.  Copies and comparisons stay calls, which the model sees; so do calls at a
# function's end, which would lose their line.
add_library(${nmrcheck}_module INTERFACE)
target_compile_options(${nmrcheck}_module INTERFACE ${every_flags} ${module_flags} -fno-common -fno-strict-aliasing
    -ftrivial-auto-var-init=pattern -fno-optimize-sibling-calls
    -fno-builtin-memcpy -fno-builtin-memmove -fno-builtin-memset -fno-builtin-memcmp)
# An NPI description is linked into its module, but not watched.
add_library(${nmrcheck}_description INTERFACE)
target_compile_options(${nmrcheck}_description INTERFACE ${every_flags} -fno-common -fno-strict-aliasing
    -Wno-missing-field-initializers)
if(CMAKE_C_COMPILER_ID MATCHES Clang)
    target_compile_options(${nmrcheck}_module INTERFACE -fno-addrsig)
    target_compile_options(${nmrcheck}_description INTERFACE -fno-addrsig)
endif()
target_link_libraries(${nmrcheck}_module INTERFACE ${nmrcheck}_wdk)
target_link_libraries(${nmrcheck}_description INTERFACE ${nmrcheck}_npi)
nmrcheck_publish(module)
nmrcheck_publish(description)

# ---- programs: link this target
add_library(${nmrcheck}_program INTERFACE)
target_link_options(${nmrcheck}_program INTERFACE ${link_flags})
# All of it: sanitizers look for functions of ours by name, and do without when they have not been linked.  Under its
# outer name: what is installed says it as it stands here.
target_link_libraries(${nmrcheck}_program
    INTERFACE $<LINK_LIBRARY:WHOLE_ARCHIVE,nmrcheck::${NMRCHECK_BUILD}_main>)
nmrcheck_publish(program)
