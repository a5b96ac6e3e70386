/*
 * test_faults.h - modules that crash, in programs of cmocka, which takes the signals for itself while a test runs.
 *
 * A module that meets input outside the contract may crash, and the execution has to end as that.
 */
#ifndef MODEL_TESTS_TEST_FAULTS_H
#define MODEL_TESTS_TEST_FAULTS_H

#include <signal.h>

#include "execution.h"

static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
enum { FAULTS = sizeof faults / sizeof *faults };
static struct sigaction fault_actions[FAULTS];

/* In main, before cmocka begins. */
static void faults_keep(void)
{
    execution_handle_faults();
    for (unsigned i = 0; i < FAULTS; i++)
        sigaction(faults[i], NULL, &fault_actions[i]);
}

/* In a test, first of all. */
static void faults_take(void)
{
    for (unsigned i = 0; i < FAULTS; i++)
        sigaction(faults[i], &fault_actions[i], NULL);
}

#endif
