#!/usr/bin/env bash
# isolation.sh KIND PROGRAM OBJECT... - what every module's object must look like after isolate.sh, in this kind of
# build (NMRCHECK_BUILD), and that a program that they are linked into has our hooks.
# A compiler that names things in another way would show here first.
set -euo pipefail

kind=$1 program=$2
shift 2

wrong=0
complain() {
    echo "$*"
    wrong=1
}

hook='__tsan_(read|write|unaligned_read|unaligned_write)'
if [ "$(nm "$program" | grep -c -E " T $hook(1|2|4|8|16)\$")" -lt 8 ]; then
    complain "$program: our hooks for loads and stores are not linked"
fi

for object; do
    undefined=$(nm --undefined-only --format=posix "$object" | cut -d' ' -f1)
    defined=$(nm --defined-only --extern-only --format=posix "$object" | cut -d' ' -f1)
    name=$(basename "$object" .o)

    if grep -x -E '(__asan_|__tsan_)?mem(cpy|set|move|cmp)|bcmp|strlen' <<<"$undefined"; then
        complain "$object: memory functions that the kernel model does not see"
    fi
    if grep -v -E "^(${name}__|___asan|__asan|__llvm|__prof|__cov|asan\.|sancov\.|tsan\.)" <<<"$defined"; then
        complain "$object: names that another module could have too"
    fi
    if readelf -SW "$object" | sed 's/^ *\[ *[0-9]*\] //' |
        awk '$1 ~ /^\.(data|bss)/ && $1 !~ /^\.data\.rel\.ro/ && $5 !~ /^0+$/' | grep .; then
        complain "$object: writable data outside nmrdata_$name"
    fi
    # A module that neither loads nor stores is only a sample.
    if [[ $name != sample_stateless ]]; then
        grep -q -E "^$hook" <<<"$undefined" || complain "$object: loads and stores are not reported ($hook)"
        case $kind in
            check | fuzz) grep -q '^__asan_report_' <<<"$undefined" || complain "$object: no AddressSanitizer" ;;
        esac
    fi
    case $kind in
        fuzz) grep -q '^__sanitizer_cov_8bit_counters_init' <<<"$undefined" || complain "$object: no coverage" ;;
        afl) grep -q '^__sanitizer_cov_trace_pc_guard' <<<"$undefined" || complain "$object: no coverage" ;;
    esac
    # Stacks of fibers would count as new coverage; locals would move to the heap.
    if grep -E '^(__sancov_lowest_stack|__asan_stack_malloc)' <<<"$undefined"; then
        complain "$object: stack depth coverage, or use-after-return detection"
    fi
done
exit "$wrong"
