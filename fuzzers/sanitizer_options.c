/* sanitizer_options.c - what sanitizers do in programs that run modules; linked into each of them. */

/* The sanitizers' runtimes look for these. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

/* Fake stacks cost a fiber 23 microseconds and leak with abandoned ones; the model has leak rules of its own, and the
 * leak checker does not see suspended stacks.  The pool is not ASan's, so a small quarantine does.  An error in module
 * code is a finding each time it happens, and does not end the process. */
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0:detect_leaks=0:quarantine_size_mb=16:"
           "halt_on_error=0:suppress_equal_pcs=0";
}

__attribute__((visibility("default"))) const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:print_stacktrace=1";
}
