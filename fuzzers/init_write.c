/* init_write.c - CMakeLists.txt and npi.c. */
#include "init_write.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- CMakeLists.txt --------------------------------------------------------------------------- */

const char *init_role(const struct driver *d)
{
    bool role[PARTIES] = {false, false};
    unsigned registrations = 0;
    for (unsigned i = 0; i < d->npi_count; i++)
        for (unsigned side = 0; side < PARTIES; side++) {
            role[side] = role[side] || d->npis[i].registered[side];
            registrations += d->npis[i].registered[side] && *d->npis[i].id != '\0';
        }
    if (registrations < d->register_calls)
        return NULL;
    if (role[PARTY_CLIENT] && role[PARTY_PROVIDER])
        return "both";
    return role[PARTY_CLIENT] ? "client" : role[PARTY_PROVIDER] ? "provider" : NULL;
}

enum { COLUMNS = 112 };

static void put_list(FILE *out, const char *keyword, const struct strings *words)
{
    size_t column = strlen(keyword) + 4;
    if (words->count == 0)
        return;
    fprintf(out, "\n    %s", keyword);
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        bool quote = strpbrk(word, " ()\"#;\\$") != NULL;
        if (column + strlen(word) > COLUMNS) {
            fprintf(out, "\n       ");
            column = 7;
        }
        fprintf(out, quote ? " \"" : " ");
        for (const char *c = word; *c != '\0'; c++)
            fprintf(out, quote && strchr("\"\\$", *c) != NULL ? "\\%c" : "%c", *c);
        fprintf(out, quote ? "\"" : "");
        column += strlen(word) + 1;
    }
}

void init_write_cmake(const struct init *i, FILE *out)
{
    const struct driver *d = i->driver;
    fprintf(out, "cmake_minimum_required(VERSION 3.25)\nproject(%s_nmrcheck C)\nenable_testing()\n"
                 "find_package(nmrcheck REQUIRED)\nnmrcheck_add_module(NAME %s", i->name, i->name);
    if (init_role(d) != NULL)
        fprintf(out, " ROLE %s", init_role(d));
    fprintf(out, " NPI npi.c");
    if (d->entry == NULL && d->init != NULL)
        fprintf(out, " INIT %s", d->init->name);
    if (d->entry == NULL && d->exit != NULL)
        fprintf(out, " EXIT %s", d->exit->name);
    put_list(out, "SOURCES", &i->sources);
    put_list(out, "INCLUDES", &i->includes);
    put_list(out, "DEFINES", &i->definitions);
    fprintf(out, ")\n");
}

/* ---- npi.c: functions ------------------------------------------------------------------------- */

static const char *const side_names[PARTIES] = {"client", "provider"};

/* "RequestNotify" becomes "request-notify". */
static void put_spelled(FILE *out, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        bool begins = c > name && isupper((unsigned char)*c) &&
                      (islower((unsigned char)c[-1]) || islower((unsigned char)c[1]));
        fprintf(out, "%s%c", begins ? "-" : "", *c == '_' ? '-' : tolower((unsigned char)*c));
    }
}

static bool has_word(const struct span *s, const char *const *words)
{
    for (size_t i = s->from; i < s->to; i++)
        for (unsigned k = 0; words[k] != NULL; k++)
            if (token_is(&s->in->tokens[i], words[k]))
                return true;
    return false;
}

static bool is_pointer(const struct span *parameter)
{
    char *text = span_text(parameter), *name = span_last_name(parameter);
    bool pointer = strchr(text, '*') != NULL;
    for (size_t i = parameter->from; i + 1 < parameter->to; i++) {
        const struct token *t = &parameter->in->tokens[i];
        pointer = pointer || (t->kind == TOKEN_NAME && t->length > 2 && t->text[0] == 'P' &&
                              isupper((unsigned char)t->text[1]) && !token_is(t, "PASCAL"));
    }
    free(text);
    free(name);
    return pointer;
}

static bool is_pointer_to_pointer(const struct span *parameter)
{
    for (size_t i = parameter->from; i + 1 < parameter->to; i++)
        if (token_is(&parameter->in->tokens[i], "*") && token_is(&parameter->in->tokens[i + 1], "*"))
            return true;
    return false;
}

/* What a counterpart passes: only where any value will do, so that no crash is its fault. */
enum passed { PASSED_UNKNOWN, PASSED_NOTHING, PASSED_CONTEXT };

static enum passed passed_to(const struct table_function *f, unsigned *count)
{
    static const char *const contexts[] = {"PVOID", "HANDLE", "VOID", "void", NULL};
    static const char *const results[] = {"_Out_", "_Outptr_", "_Outptr_result_maybenull_", "OUT", NULL};
    struct span piece;
    enum passed first = PASSED_NOTHING;
    *count = 0;
    for (size_t i = f->parameters.from; span_piece(&f->parameters, ',', &i, &piece); ++*count) {
        bool pointer = is_pointer(&piece) || (has_word(&piece, contexts) && piece.to > piece.from + 1);
        if (*count == 0 && (has_word(&piece, results) || is_pointer_to_pointer(&piece)))
            return PASSED_UNKNOWN;
        if (*count == 0)
            first = pointer ? PASSED_CONTEXT : has_word(&piece, contexts) ? PASSED_NOTHING : PASSED_UNKNOWN;
        else if (pointer)
            return PASSED_UNKNOWN;
    }
    return *count > 6 ? PASSED_UNKNOWN : first;
}

/* A completion ends a call that was left pending, and is wrong at any other time. */
static bool is_completion(const struct table_function *f)
{
    return strcasestr(f->name, "complet") != NULL;
}

static void put_flags(FILE *out, bool never, bool no_context, bool no_status)
{
    const char *const flags[] = {never ? "NPI_NEVER" : NULL, no_context ? "NPI_NO_CONTEXT" : NULL,
                                 no_status ? "NPI_VOID" : NULL};
    const char *between = ", .flags = ";
    for (unsigned k = 0; k < sizeof flags / sizeof *flags; k++)
        if (flags[k] != NULL) {
            fprintf(out, "%s%s", between, flags[k]);
            between = " | ";
        }
}

static void put_function(FILE *out, const struct fact *table, const struct table_function *f, bool ours)
{
    unsigned count;
    enum passed passed = passed_to(f, &count);
    bool unknown = ours && passed == PASSED_UNKNOWN, completes = ours && is_completion(f);
    char *parameters = span_text(&f->parameters);
    fprintf(out, "    /* %s%s(%s) */\n    {\"", completes ? "NPI_ENDS_CALL? " : unknown ? "which arguments? " : "",
            f->name, parameters);
    put_spelled(out, f->name);
    fprintf(out, "\", NPI_OFFSET(%s, %s)", table->name, f->name);
    put_flags(out, unknown || completes, ours && passed == PASSED_NOTHING, f->no_status);
    if (ours && passed == PASSED_CONTEXT && !completes) {
        fprintf(out, ", .arguments = {NPI_CONTEXT");
        for (unsigned k = 1; k < count; k++)
            fprintf(out, ", NPI_VALUE(1)");
        fprintf(out, "}");
    }
    fprintf(out, "},\n");
    free(parameters);
}

/* The functions of one side's table.  Those of the driver's own are called by counterparts. */
static void put_functions(const struct init *i, FILE *out, const char *npi, const struct seen_npi *n, enum party side)
{
    struct table_function f;
    fprintf(out, "static const struct npi_function %s_%s_functions[] = {\n", npi, side_names[side]);
    for (size_t at = 0; driver_next_function(i->scan, n->table[side], &at, &f); free(f.name))
        put_function(out, n->table[side], &f, n->registered[side]);
    fprintf(out, "};\n");
}

/* ---- npi.c: an NPI ---------------------------------------------------------------------------- */

/* "EXNPI_NPIID" becomes "exnpi". */
static void short_name(char *to, size_t capacity, const char *id)
{
    static const char *const endings[] = {"_NPIID", "_NPI_ID", "_NPI", "NPIID", "NpiId", "_GUID", "_ID"};
    snprintf(to, capacity, "%s", id);
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        size_t length = strlen(to), ending = strlen(endings[k]);
        if (length > ending && strcmp(to + length - ending, endings[k]) == 0)
            to[length - ending] = '\0';
    }
    for (char *c = to; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
}

/* Can a file of ours name it?  What a source file defines for itself cannot be seen from another. */
static bool is_shared(const struct fact *f)
{
    return f != NULL && f->inside.in->header;
}

static void put_id(FILE *out, const struct init *i, const struct seen_npi *n)
{
    const struct fact *id = scan_find(i->scan, FACT_VARIABLE, n->id);
    if (id == NULL || id->inside.in->header)
        return;
    char *value = span_text(&id->inside);
    if (id->is_static && id->inside.to > id->inside.from)
        fprintf(out, "static const NPIID %s = %s;        /* as in %s */\n", n->id, value, id->inside.in->path);
    else
        fprintf(out, "extern const NPIID %s;              /* %s:%u */\n", n->id, id->inside.in->path, id->line);
    free(value);
}

/* The members that say what a structure is, as far as names tell: "{.Version = 1, .Length = sizeof(T)}". */
static bool put_head(FILE *out, const struct fact *structure, const char *before)
{
    static const char *const versions[] = {"Version", "MajorVersion"};
    static const char *const sizes[] = {"Length", "Size", "StructSize"};
    struct span member;
    bool any = false;
    for (size_t i = structure->inside.from; span_piece(&structure->inside, ';', &i, &member);) {
        char *name = span_last_name(&member);
        bool version = false, size = false;
        for (size_t k = 0; name != NULL && k < sizeof versions / sizeof *versions; k++)
            version = version || strcmp(name, versions[k]) == 0;
        for (size_t k = 0; name != NULL && k < sizeof sizes / sizeof *sizes; k++)
            size = size || strcmp(name, sizes[k]) == 0;
        if (version || size)
            fprintf(out, "%s.%s = ", any ? ", " : before, name);
        if (version)
            fputs("1", out);
        else if (size)
            fprintf(out, "sizeof(%s)", structure->name);
        any = any || version || size;
        free(name);
    }
    return any;
}

static void put_side(FILE *out, const char *npi, const struct seen_npi *n, enum party side)
{
    const struct fact *table = n->table[side], *given = n->characteristics[side];
    bool shared = is_shared(table);
    const char *name = side_names[side];
    fprintf(out, "    .%s = {\n        %s.table_size = sizeof(%s), .table_given = NPI_ALWAYS,%s\n", name,
            shared ? "" : "/* ", table != NULL ? table->name : "its dispatch table",
            shared ? "" : " NPI_FUNCTIONS(…) */");
    if (shared) {
        fprintf(out, "        NPI_FUNCTIONS(%s_%s_functions),\n", npi, name);
        char before[256];
        snprintf(before, sizeof before, "        .table = &(const %s){", table->name);
        if (put_head(out, table, before))
            fprintf(out, "},\n");
    }
    if (n->registered[side])
        fprintf(out, "        .characteristics = {\"\", 1},         /* the driver's own: nobody looks at them */\n");
    else if (is_shared(given))
        fprintf(out, "        .characteristics = {&%s_%s_characteristics, sizeof %s_%s_characteristics},\n"
                     "        .characteristics_given = NPI_ALWAYS,\n", npi, name, npi, name);
    fprintf(out, "    },\n");
}

static bool has_functions(const struct init *i, const struct fact *table)
{
    struct table_function f;
    size_t at = 0;
    bool any = is_shared(table) && driver_next_function(i->scan, table, &at, &f);
    if (any)
        free(f.name);
    return any;
}

static void put_npi(FILE *out, const struct init *i, struct seen_npi *n)
{
    char npi[64];
    short_name(npi, sizeof npi, n->id);
    fprintf(out, "\n/* %s: the driver is %s. */\n", n->id, !n->registered[PARTY_CLIENT] ? "provider" :
            n->registered[PARTY_PROVIDER] ? "client and provider" : "client");
    put_id(out, i, n);
    for (unsigned side = 0; side < PARTIES; side++) {
        if (!has_functions(i, n->table[side]))
            n->table[side] = is_shared(n->table[side]) ? NULL : n->table[side];
        else
            put_functions(i, out, npi, n, side);
        if (is_shared(n->characteristics[side]) && !n->registered[side]) {
            fprintf(out, "/* What the driver attaches to: to be filled in. */\n"
                         "static const %s %s_%s_characteristics = {",
                    n->characteristics[side]->name, npi, side_names[side]);
            fprintf(out, put_head(out, n->characteristics[side], "") ? "};\n" : "0};\n");
        }
    }
    fprintf(out, "static const struct npi %s_npi = {\n    .name = \"", npi);
    for (const char *c = npi; *c != '\0'; c++)
        fputc(toupper((unsigned char)*c), out);
    fprintf(out, "\", .id = &%s,\n", n->id);
    put_side(out, npi, n, PARTY_CLIENT);
    put_side(out, npi, n, PARTY_PROVIDER);
    fprintf(out, "};\n");
}

static void put_npis(FILE *out, const struct init *i)
{
    char npi[64];
    unsigned count = 0;
    for (unsigned k = 0; k < i->driver->npi_count; k++)
        if (*i->driver->npis[k].id != '\0') {
            struct seen_npi n = i->driver->npis[k];
            put_npi(out, i, &n);
            count++;
        }
    if (count == 0) {
        fprintf(out, "\n/* No NPI was recognised: those that the driver registers are seen when it runs. */\n");
        return;
    }
    fprintf(out, "\nconst struct npi *const nmrcheck_npis[] = {");
    for (unsigned k = 0; k < i->driver->npi_count; k++)
        if (*i->driver->npis[k].id != '\0') {
            short_name(npi, sizeof npi, i->driver->npis[k].id);
            fprintf(out, "&%s_npi, ", npi);
        }
    fprintf(out, "NULL};\n");
}

/* ---- npi.c: operations, and the whole --------------------------------------------------------- */

static void put_operations(FILE *out, const struct init *i)
{
    const struct driver *d = i->driver;
    if (d->operation_count == 0) {
        fprintf(out, "\n/* Entry points that other parts of the system call would go here: none were seen.\n"
                     " *\n * static NTSTATUS NTAPI invoke(ULONG argument) { return MyInvoke(argument); }\n"
                     " * const struct npi_operation nmrcheck_operations[] = {{\"invoke\", invoke}, {NULL}};\n */\n");
        return;
    }
    fprintf(out, "\n/*\n * Functions that nobody in the driver calls: entry points for other parts of the system?\n"
                 " * What is listed at the end is called from several threads, while the driver is loaded.\n *\n");
    for (size_t k = 0; k < d->operation_count; k++) {
        const struct fact *f = d->operations[k];
        char *parameters = span_text(&f->parameters);
        bool nothing = strcmp(f->type, "void") == 0;
        fprintf(out, " * static NTSTATUS NTAPI operation_%zu(ULONG argument) { %s%s(%s);%s }\n", k + 1,
                nothing ? "" : "return ", f->name, parameters, nothing ? " return STATUS_SUCCESS;" : "");
        free(parameters);
    }
    fprintf(out, " *\n * const struct npi_operation nmrcheck_operations[] = {\n");
    for (size_t k = 0; k < d->operation_count; k++) {
        fprintf(out, " *     {\"");
        put_spelled(out, d->operations[k]->name);
        fprintf(out, "\", operation_%zu},\n", k + 1);
    }
    fprintf(out, " *     {NULL}};\n */\n");
}

/* Does this line include that file? */
static bool leads_to(const struct include *line, const struct source *to)
{
    size_t length = strlen(line->name), all = strlen(to->path);
    return all > length && to->path[all - length - 1] == '/' && strcasecmp(to->path + all - length, line->name) == 0;
}

static const struct include *includes(const struct source *in, const struct source *to)
{
    for (size_t k = 0; k < in->include_count; k++)
        if (leads_to(&in->includes[k], to))
            return &in->includes[k];
    return NULL;
}

/* Does the file include that header, or another that does, and so on? */
static bool reaches(const struct scan *s, const struct source *from, const struct source *to)
{
    bool *reached = calloc(s->source_count, sizeof *reached), found = false, more = reached != NULL;
    for (bool first = true; more && !found; first = false) {
        more = false;
        for (size_t k = 0; k < s->source_count * s->source_count && !found; k++) {
            const struct source *in = s->sources[k / s->source_count], *next = s->sources[k % s->source_count];
            bool begins = first ? in == from : reached[k / s->source_count];
            if (!begins || reached[k % s->source_count] || includes(in, next) == NULL)
                continue;
            reached[k % s->source_count] = more = true;
            found = next == to;
        }
    }
    free(reached);
    return found;
}

/* The header that declares what npi.c names, unless those before bring it. */
static void add_header_of(struct strings *to, const struct init *i, const struct fact *f)
{
    const struct source *header = f != NULL && f->inside.in->header ? f->inside.in : NULL;
    const struct include *line = NULL;
    if (header == NULL || (i->driver->registers != NULL && reaches(i->scan, i->driver->registers, header)))
        return;
    for (size_t k = 0; line == NULL && k < i->scan->source_count; k++)
        line = includes(i->scan->sources[k], header);
    if (line != NULL)
        strings_add_once(to, line->name);
}

static void put_includes(FILE *out, const struct init *i)
{
    const struct source *in = i->driver->registers;
    for (size_t k = 0; in != NULL && k < in->include_count; k++) {
        const struct include *header = &in->includes[k];
        size_t length = strlen(header->name);
        if (strcmp(header->name, "initguid.h") != 0 && !(length > 4 && strcmp(header->name + length - 4, ".tmh") == 0))
            fprintf(out, header->quoted ? "#include \"%s\"\n" : "#include <%s>\n", header->name);
    }
    struct strings headers = {0};
    for (unsigned k = 0; k < i->driver->npi_count; k++) {
        const struct seen_npi *n = &i->driver->npis[k];
        add_header_of(&headers, i, scan_find(i->scan, FACT_VARIABLE, n->id));
        for (unsigned side = 0; side < PARTIES; side++) {
            add_header_of(&headers, i, n->table[side]);
            add_header_of(&headers, i, n->characteristics[side]);
        }
    }
    for (size_t k = 0; k < headers.count; k++)
        fprintf(out, "#include \"%s\"\n", headers.items[k]);
    strings_release(&headers);
    fprintf(out, "#include <nmrcheck/npi.h>\n");
}

void init_write_npi(const struct init *i, FILE *out)
{
    fprintf(out, "/*\n * npi.c - what nmrcheck knows of %s beside its source: its NPIs, and its entry points.\n"
                 " *\n * Written by `nmrcheck init`, which does not compile what it reads: a start, to be corrected.\n"
                 " * <nmrcheck/npi.h> explains all of it.  Counterparts call no function that is marked NPI_NEVER:\n"
                 " * give it arguments (NPI_CONTEXT, NPI_VALUE(1), NPI_BUFFER(64), …) or a `call` of its own.\n"
                 " */\n", i->name);
    put_includes(out, i);
    put_npis(out, i);
    put_operations(out, i);
    fprintf(out, "\n/*\n * What the driver needs and nobody has is listed by the build, with lines to paste here:\n"
                 " *\n"
                 " * NMRCHECK_STUB(OtherSubsystemReady, TRUE)\n */\n");
}
