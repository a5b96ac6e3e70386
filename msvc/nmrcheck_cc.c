/*
 * nmrcheck_cc.c
 *
 *     nmrcheck-cc [--folder=F] [--functions=F] [--through=PROGRAM]... COMPILER ARGUMENT...
 *
 * Compiles a driver's source for Windows as it is: preprocesses it with MSVC's macros, rewrites it (rewrite.h), and
 * compiles what comes out.  CMake calls it in place of the compiler: see cmake/llp64.cmake.
 *
 *   --folder    where it may keep files that stand for headers (headers.h)
 *   --functions what the WDK declares: model/wdk/functions.txt
 *   --through   what the compiler is called through when it compiles: ccache
 *
 * Any other call of the compiler than -c with one source is passed on.  Nothing is left behind but the object and the
 * list of headers that it depends on.
 */
#include "complain.h"
#include "headers.h"
#include "rewrite.h"
#include "wdk.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Misspelled ones in one source. */
#define HEADERS_MAX 1000

struct command {
    char **words;
    size_t count;
};

static struct {
    const char *folder, *functions;
    struct command through;
    char **compiler;            /* and all of its arguments */
    const char *source, *object, *dependencies;
    char *middle;               /* the rewritten source */
} call;

static void append(struct command *command, const char *word)
{
    command->words = grow(command->words, (command->count + 2) * sizeof *command->words);
    command->words[command->count++] = (char *)(size_t)word;
    command->words[command->count] = NULL;
}

static void remove_middle(int signal_number)
{
    unlink(call.middle);
    _exit(128 + signal_number);
}

/* ---- programs */

/* Reads all that comes, in memory that ends with a NUL. */
static char *read_all(int file, size_t *length)
{
    char *text = grow(NULL, 65537);
    size_t room = 65536;
    ssize_t n;

    *length = 0;
    while ((n = read(file, text + *length, room - *length)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        *length += n > 0 ? (size_t)n : 0;
        if (*length == room)
            text = grow(text, (room *= 2) + 1);
    }
    text[*length] = '\0';
    close(file);
    return text;
}

/* Runs a command whose output goes to a file; what it says, and whether it was content. */
static bool run(const struct command *command, const char *output, char **messages)
{
    size_t length;
    int pipes[2], status = 0;
    pid_t child;

    if (pipe(pipes) != 0 || (child = fork()) < 0) {
        perror("nmrcheck-cc");
        exit(2);
    }
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        if (output && !freopen(output, "w", stdout))
            _exit(2);
        setenv("LC_ALL", "C", 1);           /* messages that complain.h understands */
        execvp(command->words[0], command->words);
        fprintf(stderr, "nmrcheck-cc: cannot run %s: %s\n", command->words[0], strerror(errno));
        _exit(2);
    }
    close(pipes[1]);
    *messages = read_all(pipes[0], &length);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- the two commands */

/*
 * MSVC's macros, and those of the compiler's types: 64-bit ones are called long long, so that rewrite.h takes them for
 * what they are.  A name alone is undefined.  What the driver's own flags say goes first.
 */
static const char *const macros[] = {
    "_MSC_VER=1939", "_MSC_FULL_VER=193933523", "_MSC_BUILD=0", "_MSC_EXTENSIONS=1", "_WIN32=1", "_WIN64=1",
    "WIN32=100", "_M_AMD64=100", "_M_X64=100", "_AMD64_=1", "AMD64=1", "_KERNEL_MODE=1", "WINNT=1", "STD_CALL=1",
    "DBG=1", "_WIN32_WINNT=0x0A00", "WINVER=0x0A00", "NTDDI_VERSION=0x0A00000C",
    "_INTEGRAL_MAX_BITS=64", "__linux__", "__linux", "linux", "__gnu_linux__", "__unix__", "__unix", "unix", "__ELF__",
    "__LP64__", "_LP64",
    "__SIZE_TYPE__=unsigned long long", "__PTRDIFF_TYPE__=long long", "__INTPTR_TYPE__=long long",
    "__UINTPTR_TYPE__=unsigned long long", "__INT64_TYPE__=long long", "__UINT64_TYPE__=unsigned long long",
    "__INTMAX_TYPE__=long long", "__UINTMAX_TYPE__=unsigned long long", "__INT_LEAST64_TYPE__=long long",
    "__UINT_LEAST64_TYPE__=unsigned long long", "__INT_FAST64_TYPE__=long long",
    "__UINT_FAST64_TYPE__=unsigned long long", "__INT_FAST16_TYPE__=int", "__UINT_FAST16_TYPE__=unsigned int",
    "__INT_FAST32_TYPE__=int", "__UINT_FAST32_TYPE__=unsigned int", "__INT_FAST16_MAX__=0x7fffffff",
    "__UINT_FAST16_MAX__=0xffffffffU", "__INT_FAST32_MAX__=0x7fffffff", "__UINT_FAST32_MAX__=0xffffffffU",
    "__INT_FAST16_WIDTH__=32", "__INT_FAST32_WIDTH__=32", "__INT64_C_SUFFIX__=LL", "__UINT64_C_SUFFIX__=ULL",
    "__INTMAX_C_SUFFIX__=LL", "__UINTMAX_C_SUFFIX__=ULL", "__INT64_C(c)=c##LL", "__UINT64_C(c)=c##ULL",
    "__INTMAX_C(c)=c##LL", "__UINTMAX_C(c)=c##ULL", "__LONG_MAX__=0x7fffffffL", "__LONG_WIDTH__=32",
    "__SIZEOF_LONG__=4", "__SIZEOF_LONG_DOUBLE__=8",
};

/* Do the driver's own flags define or undefine it? */
static bool is_set(const char *name, size_t length)
{
    for (char **argument = call.compiler; *argument; argument++) {
        const char *text = *argument;

        if (strcmp(text, "-D") == 0 || strcmp(text, "-U") == 0)
            text = argument[1] ? argument[1] : "";
        else if (strncmp(text, "-D", 2) == 0 || strncmp(text, "-U", 2) == 0)
            text += 2;
        else
            continue;
        if (strncmp(text, name, length) == 0 && (text[length] == '=' || !text[length]))
            return true;
    }
    return false;
}

static void append_macros(struct command *command)
{
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        size_t length = strcspn(macros[i], "(=");

        if (is_set(macros[i], length))
            continue;
        append(command, text_of("-U%.*s", (int)length, macros[i]));
        if (macros[i][length])
            append(command, text_of("-D%s", macros[i]));
    }
}

/* How many words from here are for the preprocessor only? */
static size_t preprocessor_words(char *const *argument)
{
    static const char *const pairs[] = {"-include", "-imacros", "-MF", "-MT", "-MQ", "-isystem", "-iquote",
                                        "-idirafter", "-I", "-D", "-U"};

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        size_t length = strlen(pairs[i]);

        if (strncmp(*argument, pairs[i], length) == 0)
            return (*argument)[length] || !argument[1] ? 1 : 2;
    }
    return strncmp(*argument, "-M", 2) == 0 || strcmp(*argument, "-nostdlibinc") == 0 ||
           strcmp(*argument, "-nostdinc") == 0;
}

static struct command preprocessing(void)
{
    struct command command = {0};

    append(&command, call.compiler[0]);
    append_macros(&command);
    for (char **argument = call.compiler + 1; *argument; argument++) {
        if (strcmp(*argument, "-o") == 0)
            argument++;
        else
            append(&command, strcmp(*argument, "-c") == 0 ? "-E" : *argument);
    }
    append(&command, "-ffreestanding");     /* no header of the compiler's asks for the C library's */
    if (call.folder) {
        append(&command, "-idirafter");
        append(&command, headers_search(call.folder));
    }
    return command;
}

static struct command compiling(bool without_const)
{
    struct command command = {0};

    for (size_t i = 0; i < call.through.count; i++)
        append(&command, call.through.words[i]);
    append(&command, call.compiler[0]);
    for (char **argument = call.compiler + 1; *argument;) {
        size_t words = preprocessor_words(argument);

        if (words) {
            argument += words;
            continue;
        }
        if (strcmp(*argument, call.source) == 0) {
            append(&command, "-x");
            append(&command, "cpp-output");
            append(&command, call.middle);
        } else {
            append(&command, *argument);
        }
        argument++;
    }
    append(&command, "-fms-extensions");    /* unnamed structures; not before, since its keywords are macros of ours */
    append(&command, without_const ? "-w" : "-Werror=implicit-function-declaration");
    return command;
}

/* ---- the steps */

/* The list of headers, for make and ninja, without those that only lead to others. */
static void clean_dependencies(void)
{
    FILE *file = call.dependencies && call.folder ? fopen(call.dependencies, "r") : NULL;
    char *text, *word, *end;
    size_t length;

    if (!file)
        return;
    text = read_all(dup(fileno(file)), &length);
    fclose(file);
    if (!(word = strstr(text, call.folder)) || !(file = fopen(call.dependencies, "w")))
        return;
    for (; word; word = strstr(end, call.folder)) {
        for (end = word; *end && *end != '\n' && (*end != ' ' || end[-1] == '\\');)
            end++;
        memset(word, ' ', (size_t)(end - word) - (end[-1] == '\\'));
    }
    fwrite(text, 1, length, file);
    fclose(file);
}

/*
 * MSVC leaves the two tokens of a ## that make none; so does clang when it is told that the source is MSVC's.  Not from
 * the beginning, since the keywords that it then knows are macros of ours.
 */
static bool paste_as_msvc(struct command *command, const char *messages)
{
    static bool done;

    if (done || !strstr(messages, "pasting formed"))
        return false;
    done = true;
    append(command, "-fms-extensions");
    append(command, "-Wno-invalid-token-paste");
    append(command, "-Wno-builtin-macro-redefined");
    return true;
}

/* Asks again for headers that it could find by another spelling.  Then the text is in the file `call.middle`. */
static bool preprocess(void)
{
    struct command command = preprocessing();
    char *messages, name[1024];
    bool fine;

    for (unsigned headers = 0; !(fine = run(&command, call.middle, &messages)) && call.folder; headers++) {
        const char *at = messages;
        struct message m;
        bool provided = paste_as_msvc(&command, messages);

        while (message_next(&at, &m)) {
            if (message_header(&m, name, sizeof name))
                provided |= headers_provide(call.folder, name, m.file, call.compiler + 1);
        }
        if (!provided || headers == HEADERS_MAX)
            break;
    }
    fputs(messages, stderr);
    if (!fine)
        complain(messages);
    clean_dependencies();
    return fine;
}

/* The preprocessed text in memory, or the end of the program. */
static char *read_middle(size_t *length)
{
    FILE *file = fopen(call.middle, "r");
    char *text;

    if (!file) {
        perror(call.middle);
        exit(2);
    }
    text = read_all(dup(fileno(file)), length);
    fclose(file);
    return text;
}

/* What the compiler did not like at first. */
struct variant {
    bool without_const;
    const char *declarations;
};

static bool write_middle(const char *text, size_t length, const struct variant *variant)
{
    FILE *file = fopen(call.middle, "w");
    struct tokens tokens;
    bool fine;

    if (!file) {
        perror(call.middle);
        exit(2);
    }
    tokens_read(&tokens, text, length);
    if (variant->without_const)
        rewrite_without_const(&tokens);
    fine = rewrite(&tokens, variant->declarations, file);
    if (fclose(file) != 0) {
        perror(call.middle);
        exit(2);
    }
    return fine;
}

/*
 * Functions of the WDK that ours does not declare: they are declared here, so that cmake/missing.sh can list them with
 * all others that have no body.  True when there was a new one.
 */
static bool declare(struct variant *variant, const char *messages)
{
    const char *before = variant->declarations;
    struct message m;
    char name[256];

    while (message_next(&messages, &m)) {
        const char *declaration;

        if (!message_function(&m, name, sizeof name) || !wdk_type(name))
            continue;
        declaration = text_of("extern %s %s(); ", wdk_type(name), name);
        if (!strstr(variant->declarations, declaration))
            variant->declarations = text_of("%s%s", variant->declarations, declaration);
    }
    return variant->declarations != before;
}

static bool compile(void)
{
    struct variant variant = {false, ""};
    const char *told = NULL;            /* with const, when it was tried without */
    size_t length;
    char *messages, *text = read_middle(&length);

    while (write_middle(text, length, &variant)) {
        struct command command = compiling(variant.without_const);

        if (run(&command, NULL, &messages)) {
            fputs(messages, stderr);
            if (variant.without_const)
                fprintf(stderr, "%s: compiled without const, since declarations differ in it\n", call.source);
            return true;
        }
        if (declare(&variant, messages))
            continue;
        if (variant.without_const || !complains_of_types(messages)) {
            fputs(told ? told : messages, stderr);
            complain(told ? told : messages);
            return false;
        }
        told = messages;
        variant.without_const = true;
    }
    return false;
}

static bool understand(void)
{
    size_t sources = 0;
    bool object = false;

    for (char **argument = call.compiler + 1; *argument; argument++) {
        size_t length = strlen(*argument);

        if (strcmp(*argument, "-o") == 0 && argument[1])
            call.object = *++argument;
        else if (strcmp(*argument, "-MF") == 0 && argument[1])
            call.dependencies = *++argument;
        else if (strcmp(*argument, "-c") == 0)
            object = true;
        else if (length > 2 && strcasecmp(*argument + length - 2, ".c") == 0 && ++sources)
            call.source = *argument;
    }
    return object && call.object && sources == 1;
}

int main(int argc, char **argv)
{
    int i = 1;
    bool fine;

    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strncmp(argv[i], "--folder=", 9) == 0)
            call.folder = argv[i] + 9;
        else if (strncmp(argv[i], "--through=", 10) == 0)
            append(&call.through, argv[i] + 10);
        else if (strncmp(argv[i], "--functions=", 12) == 0)
            call.functions = argv[i] + 12;
    }
    call.compiler = argv + i;
    if (i == argc) {
        fputs("usage: nmrcheck-cc [--folder=F] [--functions=F] [--through=PROGRAM]... COMPILER ARGUMENT...\n", stderr);
        return 2;
    }
    if (!understand()) {
        execvp(argv[i], argv + i);
        perror(argv[i]);
        return 2;
    }
    call.middle = (char *)(size_t)text_of("%s.i", call.object);
    signal(SIGINT, remove_middle);
    signal(SIGTERM, remove_middle);
    signal(SIGHUP, remove_middle);
    wdk_read(call.functions);
    fine = preprocess() && compile();
    unlink(call.middle);
    if (!fine)
        unlink(call.object);
    return fine ? 0 : 1;
}
