/* init_driver.c - registrations, dispatch tables and entry points of a driver. */
#include "init_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How the two sides spell the same. */
static const struct words {
    const char *characteristics, *attach, *instance, *registers, *deregisters;
} words[PARTIES] = {
    {"NPI_CLIENT_CHARACTERISTICS", "ClientAttachProvider", "ClientRegistrationInstance", "NmrRegisterClient",
     "NmrDeregisterClient"},
    {"NPI_PROVIDER_CHARACTERISTICS", "ProviderAttachClient", "ProviderRegistrationInstance", "NmrRegisterProvider",
     "NmrDeregisterProvider"},
};

static const struct token *token_at(const struct span *s, size_t i)
{
    return &s->in->tokens[i];
}

static bool is(const struct span *s, size_t i, const char *text)
{
    return i >= s->from && i < s->to && token_is(token_at(s, i), text);
}

static bool is_name(const struct span *s, size_t i)
{
    return i >= s->from && i < s->to && token_at(s, i)->kind == TOKEN_NAME;
}

static struct span whole(const struct source *in)
{
    return (struct span){in, 0, in->count};
}

/* ---- registrations ---------------------------------------------------------------------------- */

/* A field's value in an initializer, by name or position. */
static bool field(const struct span *initializer, const char *name, unsigned position, struct span *value)
{
    unsigned number = 0;
    for (size_t i = initializer->from; span_piece(initializer, ',', &i, value); number++) {
        if (is(value, value->from, ".")) {
            if (!is(value, value->from + 1, name) || !is(value, value->from + 2, "="))
                continue;
            value->from += 3;
            return true;
        }
        if (number == position)
            return true;
    }
    return false;
}

/* Without the braces around it. */
static bool unwrap(struct span *s)
{
    if (!is(s, s->from, "{"))
        return false;
    *s = (struct span){s->in, s->from + 1, span_partner(s, s->from)};
    return true;
}

static struct seen_npi *npi_of(struct driver *d, char *id)
{
    if (id == NULL)
        id = strdup("");
    for (unsigned i = 0; id != NULL && i < d->npi_count; i++)
        if (strcmp(d->npis[i].id, id) == 0) {
            free(id);
            return &d->npis[i];
        }
    if (id == NULL || d->npi_count == SEEN_NPIS_MAX) {
        free(id);
        return NULL;
    }
    d->npis[d->npi_count] = (struct seen_npi){.id = id};
    return &d->npis[d->npi_count++];
}

/* What follows a name within a function, as in "x->NAME = value;": the last name of the first such value. */
static char *assigned(const struct span *body, const char *name)
{
    for (size_t i = body->from + 1; i < body->to; i++) {
        struct span value;
        size_t from = i + 2;
        if (is(body, i, name) && is(body, i + 1, "=") && !is(body, i + 2, "=") && span_piece(body, ';', &from, &value))
            return span_last_name(&value);
    }
    return NULL;
}

/* The same for an identifier, which is a variable of its own: of "x->y" nobody knows what it is. */
static char *assigned_id(const struct span *body)
{
    for (size_t i = body->from + 1; i < body->to; i++) {
        struct span value;
        size_t from = i + 2;
        if (is(body, i, "NpiId") && is(body, i + 1, "=") && !is(body, i + 2, "=") &&
            span_piece(body, ';', &from, &value))
            return is(&value, value.to - 2, ">") || is(&value, value.to - 2, ".") ? NULL : span_last_name(&value);
    }
    return NULL;
}

/* What a pointer that is looked for points to: a dispatch table has functions, characteristics have none. */
enum wanted { WANTED_TABLE, WANTED_CHARACTERISTICS };

static const struct fact *fitting(const struct scan *s, const struct token *type, enum wanted wanted)
{
    char *word = token_text(type);
    const struct fact *found = scan_struct(s, word);
    struct table_function f = {0};
    size_t at = 0;
    bool functions = found != NULL && driver_next_function(s, found, &at, &f);
    free(word);
    free(f.name);
    return found != NULL && functions == (wanted == WANTED_TABLE) ? found : NULL;
}

/* "TYPE [const] [*] NAME" in a body or among members, however deep. */
static const struct fact *declared(const struct scan *s, const struct span *in, const char *name, enum wanted wanted)
{
    for (size_t i = in->from + 1; i < in->to; i++) {
        size_t type = i;
        if (!is(in, i, name) || is(in, i - 1, ".") || is(in, i - 1, ">"))
            continue;
        while (type > in->from && (is(in, type - 1, "*") || is(in, type - 1, "const")))
            type--;
        const struct fact *found =
            type > in->from && is_name(in, type - 1) ? fitting(s, token_at(in, type - 1), wanted) : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* The structure that a name of a function's body points to: a variable's, or some structure's member. */
static const struct fact *pointed(const struct scan *s, const struct span *body, const char *name, enum wanted wanted)
{
    const struct fact *variable = scan_find(s, FACT_VARIABLE, name);
    const struct fact *found = variable != NULL ? scan_struct(s, variable->type) : NULL;
    if (found == NULL)
        found = declared(s, body, name, wanted);
    for (size_t k = 0; found == NULL && k < s->fact_count; k++)
        if (s->facts[k].kind == FACT_STRUCT)
            found = declared(s, &s->facts[k].inside, name, wanted);
    return found;
}

/* "Function(…, NAME": what the function takes there. */
static const struct fact *passed_as(const struct scan *s, const struct span *body, size_t i, enum wanted wanted)
{
    unsigned number = 0, depth = 0;
    for (; i > body->from + 1 && (depth > 0 || !is(body, i - 1, "(")); i--) {
        number += depth == 0 && is(body, i - 1, ",");
        depth += is(body, i - 1, ")");
        depth -= is(body, i - 1, "(");
        if (is(body, i - 1, ";") || is(body, i - 1, "{"))
            return NULL;
    }
    if (i < body->from + 2 || !is_name(body, i - 2))
        return NULL;
    char *callee = token_text(token_at(body, i - 2));
    const struct fact *function = scan_find(s, FACT_FUNCTION, callee), *found = NULL;
    struct span piece;
    free(callee);
    for (size_t k = function != NULL ? function->parameters.from : 0;
         function != NULL && span_piece(&function->parameters, ',', &k, &piece); number--)
        for (size_t t = piece.from; number == 0 && found == NULL && t < piece.to; t++)
            if (is_name(&piece, t))
                found = fitting(s, token_at(&piece, t), wanted);
    return found;
}

/* Where a pointer of unknown type goes: "(TYPE *)NAME", "x->Member = NAME", "Function(NAME)"; NAME may be "y->NAME". */
static const struct fact *used_as(const struct scan *s, const struct span *body, const char *name, enum wanted wanted)
{
    for (size_t i = body->from + 2; i < body->to; i++) {
        size_t first = i, before;
        if (!is(body, i, name))
            continue;
        while (first > body->from + 2 && (is(body, first - 1, ".") || is(body, first - 1, ">")))
            first -= is(body, first - 1, ".") ? 2 : 3;
        if (is(body, first - 1, "(") || is(body, first - 1, ",")) {
            const struct fact *passed = passed_as(s, body, first, wanted);
            if (passed != NULL)
                return passed;
            continue;
        }
        before = first;
        while (before > body->from && (is(body, before - 1, ")") || is(body, before - 1, "*") ||
                                       is(body, before - 1, "const") || is(body, before - 1, "CONST")))
            before--;
        if ((before == first && !is(body, first - 1, "=")) || before < body->from + 2)
            continue;
        size_t of = is(body, before - 1, "=") ? before - 2 : before - 1;
        const struct fact *found = NULL;
        if (is_name(body, of) && is(body, of + 1, "=")) {
            char *word = token_text(token_at(body, of));
            found = pointed(s, body, word, wanted);
            free(word);
        } else if (is_name(body, of)) {
            found = fitting(s, token_at(body, of), wanted);
        }
        if (found != NULL)
            return found;
    }
    return NULL;
}

static char *parameter_name(const struct fact *function, unsigned number)
{
    struct span piece;
    size_t i = function->parameters.from;
    while (span_piece(&function->parameters, ',', &i, &piece))
        if (number-- == 0)
            return span_last_name(&piece);
    return NULL;
}

/* ProviderAttachClient(…, ClientDispatch, ProviderBindingContext, ProviderDispatch) */
static void look_at_provider(const struct scan *s, struct seen_npi *n, const struct fact *attach)
{
    const struct span *body = &attach->inside;
    char *theirs = parameter_name(attach, 4), *ours = parameter_name(attach, 6);
    if (theirs != NULL && n->table[PARTY_CLIENT] == NULL)
        n->table[PARTY_CLIENT] = used_as(s, body, theirs, WANTED_TABLE);
    char *given = ours != NULL ? assigned(body, ours) : NULL;       /* *ProviderDispatch = &Table; */
    if (given != NULL && n->table[PARTY_PROVIDER] == NULL)
        n->table[PARTY_PROVIDER] = pointed(s, body, given, WANTED_TABLE);
    free(theirs);
    free(ours);
    free(given);
}

/* NmrClientAttachProvider(handle, context, ClientDispatch, &ProviderBindingContext, &ProviderDispatch), anywhere */
static void look_at_client(const struct scan *s, struct seen_npi *n, const struct fact *attach)
{
    const struct span *body = &attach->inside;
    for (size_t i = body->from; i < body->to; i++) {
        struct span arguments, piece;
        if (!is(body, i, "NmrClientAttachProvider") || !is(body, i + 1, "("))
            continue;
        arguments = (struct span){body->in, i + 2, span_partner(body, i + 1)};
        size_t at = arguments.from;
        for (unsigned number = 0; span_piece(&arguments, ',', &at, &piece); number++) {
            char *name = span_last_name(&piece);
            if (name != NULL && number == 2 && n->table[PARTY_CLIENT] == NULL)
                n->table[PARTY_CLIENT] = pointed(s, body, name, WANTED_TABLE);
            if (name != NULL && number == 4 && n->table[PARTY_PROVIDER] == NULL) {
                n->table[PARTY_PROVIDER] = pointed(s, body, name, WANTED_TABLE);
                if (n->table[PARTY_PROVIDER] == NULL)
                    n->table[PARTY_PROVIDER] = used_as(s, body, name, WANTED_TABLE);
            }
            free(name);
        }
    }
}

/* A registration: takes both names. */
static void add_registration(struct driver *d, const struct scan *s, enum party side, char *id, char *attach)
{
    struct seen_npi *n = npi_of(d, id);
    const struct fact *callback = scan_find(s, FACT_FUNCTION, attach);
    free(attach);
    if (n == NULL)
        return;
    n->registered[side] = true;
    if (callback == NULL)
        return;
    if (n->characteristics[!side] == NULL)
        n->characteristics[!side] = used_as(s, &callback->inside, "NpiSpecificCharacteristics", WANTED_CHARACTERISTICS);
    if (side == PARTY_PROVIDER)
        look_at_provider(s, n, callback);
    else
        look_at_client(s, n, callback);
}

static char *field_name(const struct span *initializer, const char *name, unsigned position)
{
    struct span value;
    return field(initializer, name, position, &value) ? span_last_name(&value) : NULL;
}

/* { version, length, attach, detach, cleanup, { version, size, id, … } }, without the braces around it */
static void from_characteristics(struct driver *d, const struct scan *s, enum party side, const struct span *fields)
{
    struct span instance;
    char *id = NULL;
    if (field(fields, words[side].instance, 5, &instance) && unwrap(&instance))
        id = field_name(&instance, "NpiId", 2);
    add_registration(d, s, side, id, field_name(fields, words[side].attach, 2));
}

/* NPI_…_CHARACTERISTICS x = { … }, or an array of them. */
static void from_initializer(struct driver *d, const struct scan *s, enum party side, struct span initializer)
{
    struct span piece;
    if (!unwrap(&initializer))
        return;
    if (!is(&initializer, initializer.from, "{"))
        from_characteristics(d, s, side, &initializer);
    else
        for (size_t i = initializer.from; span_piece(&initializer, ',', &i, &piece) && unwrap(&piece);)
            from_characteristics(d, s, side, &piece);
}

/* "x.NAME = …" or "x->NAME = …", not the ".NAME = …" of an initializer. */
static bool is_assignment(const struct span *s, size_t i)
{
    if (!is(s, i + 1, "=") || is(s, i + 2, "=") || i < 2)
        return false;
    return is(s, i - 1, ">") || (is(s, i - 1, ".") && (is_name(s, i - 2) || is(s, i - 2, "]") || is(s, i - 2, ")")));
}

static void look_in_functions(struct driver *d, const struct scan *s, const struct source *in)
{
    struct span all = whole(in);
    for (size_t i = 0; i < in->count; i++)
        for (unsigned side = 0; side < PARTIES; side++) {
            bool registers = is(&all, i, words[side].registers) && is(&all, i + 1, "(");
            bool local = is(&all, i, words[side].characteristics) && is(&all, i + 2, "=");
            bool field = is(&all, i, words[side].attach) && is_assignment(&all, i);
            const struct fact *function = registers || local || field ? scan_function_at(s, in, i) : NULL;
            if (function == NULL)
                continue;
            d->register_calls += registers;
            if (registers && d->registers == NULL)
                d->registers = in;
            if (local)
                from_initializer(d, s, side, (struct span){in, i + 3, function->inside.to});
            if (field)
                add_registration(d, s, side, assigned_id(&function->inside),
                                 assigned(&function->inside, words[side].attach));
        }
}

/* Where attach callbacks leave looking at the other side to helpers, which then look at one side only. */
static void look_in_helpers(struct driver *d, const struct scan *s)
{
    const struct fact *found = NULL;
    bool role[PARTIES] = {false, false};
    for (unsigned k = 0; k < d->npi_count; k++)
        for (unsigned side = 0; side < PARTIES; side++)
            role[side] = role[side] || d->npis[k].registered[side];
    if (role[PARTY_CLIENT] == role[PARTY_PROVIDER])
        return;
    for (size_t i = 0; i < s->fact_count && found == NULL; i++)
        if (s->facts[i].kind == FACT_FUNCTION && s->facts[i].inside.in == d->registers)
            found = used_as(s, &s->facts[i].inside, "NpiSpecificCharacteristics", WANTED_CHARACTERISTICS);
    for (unsigned k = 0; k < d->npi_count; k++)
        if (d->npis[k].characteristics[role[PARTY_CLIENT]] == NULL)
            d->npis[k].characteristics[role[PARTY_CLIENT]] = found;
}

/* ---- entry points ----------------------------------------------------------------------------- */

/* How often is a function called in the driver, and is it mentioned in any other way? */
static unsigned calls_of(const struct scan *s, const struct fact *f, bool *pointed_to)
{
    unsigned calls = 0;
    *pointed_to = false;
    for (size_t k = 0; k < s->source_count; k++) {
        struct span all = whole(s->sources[k]);
        for (size_t i = 0; i < all.to; i++) {
            if (!is(&all, i, f->name))
                continue;
            const struct fact *caller = scan_function_at(s, all.in, i);
            if (caller != NULL && is(&all, i + 1, "("))
                calls += caller != f;
            else if (!is(&all, i + 1, "(") && !is(&all, i + 1, ";"))    /* no declaration: TYPE NAME; */
                *pointed_to = true;
            else if (is(&all, i + 1, ";") && (caller != NULL || is(&all, i - 1, "=") || is(&all, i - 1, "&")))
                *pointed_to = true;
        }
    }
    return calls;
}

static bool mentions(const struct fact *function, const char *name)
{
    for (size_t i = function->inside.from; i < function->inside.to; i++)
        if (is(&function->inside, i, name))
            return true;
    return false;
}

/* Functions on the way to a call: the one that makes it, its caller, … */
struct way {
    const struct fact *steps[8];
    size_t length;
};

static bool on_way(const struct way *way, const struct fact *f)
{
    for (size_t i = 0; i < way->length; i++)
        if (way->steps[i] == f)
            return true;
    return false;
}

/* The next step of a way: a function that calls one of these, and is not on the other way, which may undo its work. */
static const struct fact *caller(const struct scan *s, const char *first, const char *second, const struct way *way,
                                 const struct way *other)
{
    for (size_t i = 0; i < s->fact_count; i++) {
        const struct fact *f = &s->facts[i];
        if (f->kind == FACT_FUNCTION && !on_way(way, f) && !on_way(other, f) &&
            (mentions(f, first) || mentions(f, second)))
            return f;
    }
    return NULL;
}

/* The function that other drivers or files call to get to where one of these is called, or NULL. */
static const struct fact *outermost(const struct scan *s, const char *first, const char *second, struct way *way,
                                    const struct way *other)
{
    const struct fact *f = caller(s, first, second, way, other);
    while (f != NULL && way->length < sizeof way->steps / sizeof way->steps[0]) {
        way->steps[way->length++] = f;
        f = caller(s, f->name, f->name, way, other);
    }
    return way->length ? way->steps[way->length - 1] : NULL;
}

static void look_for_operations(struct driver *d, const struct scan *s)
{
    d->operations = calloc(s->fact_count + 1, sizeof *d->operations);
    for (size_t i = 0; d->operations != NULL && i < s->fact_count; i++) {
        const struct fact *f = &s->facts[i];
        bool pointed_to;
        if (f->kind != FACT_FUNCTION || f->is_static || f->inside.in->header || f == d->entry || f == d->init ||
            f == d->exit || strcmp(f->name, "DriverUnload") == 0)
            continue;
        if (calls_of(s, f, &pointed_to) == 0 && !pointed_to)
            d->operations[d->operation_count++] = f;
    }
}

/* ---- all of it -------------------------------------------------------------------------------- */

void driver_look(struct driver *d, const struct scan *s)
{
    *d = (struct driver){.entry = scan_find(s, FACT_FUNCTION, "DriverEntry")};
    for (size_t i = 0; d->entry != NULL && i < s->fact_count; i++) {
        const struct fact *f = &s->facts[i];
        if (f->kind == FACT_FUNCTION && f != d->entry && strcmp(f->name, "DriverEntry") == 0 &&
            f->inside.in != d->entry->inside.in)
            d->second_entry = f->inside.in;
    }
    for (size_t i = 0; i < s->fact_count; i++)
        for (unsigned side = 0; side < PARTIES; side++)
            if (s->facts[i].kind == FACT_VARIABLE && strcmp(s->facts[i].type, words[side].characteristics) == 0)
                from_initializer(d, s, side, s->facts[i].inside);
    for (size_t i = 0; i < s->source_count; i++)
        look_in_functions(d, s, s->sources[i]);
    look_in_helpers(d, s);
    if (d->entry == NULL) {
        struct way in = {0}, out = {0};
        d->init = outermost(s, words[0].registers, words[1].registers, &in, &out);
        d->exit = outermost(s, words[0].deregisters, words[1].deregisters, &out, &in);
    }
    look_for_operations(d, s);
}

void driver_release(struct driver *d)
{
    for (unsigned i = 0; i < d->npi_count; i++)
        free(d->npis[i].id);
    free(d->operations);
    *d = (struct driver){0};
}

bool driver_next_function(const struct scan *s, const struct fact *table, size_t *at, struct table_function *f)
{
    struct span member;
    if (*at == 0)
        *at = table->inside.from;
    while (span_piece(&table->inside, ';', at, &member)) {
        while (member.from < member.to && token_is_annotation(token_at(&member, member.from))) {
            size_t last = member.from;
            if (is(&member, last + 1, "("))
                last = span_partner(&member, last + 1);
            member.from = last + 1;
        }
        size_t open = member.from;
        while (open < member.to && !is(&member, open, "("))
            open++;
        if (open < member.to) {                                     /* RETURN (NTAPI *NAME)(…) */
            struct span inner = {member.in, open + 1, span_partner(&member, open)};
            if (!is(&member, inner.to + 1, "(") || (f->name = span_last_name(&inner)) == NULL)
                continue;
            f->no_status = !is(&member, open - 1, "NTSTATUS");
            f->parameters = (struct span){member.in, inner.to + 2, span_partner(&member, inner.to + 1)};
            return true;
        }
        if (member.to < member.from + 2)
            continue;
        for (size_t i = member.from; i + 1 < member.to; i++) {       /* TYPE [*] NAME */
            char *word = is_name(&member, i) ? token_text(token_at(&member, i)) : NULL;
            const struct fact *type = word != NULL ? scan_function_type(s, word) : NULL;
            free(word);
            if (type == NULL)
                continue;
            *f = (struct table_function){
                span_last_name(&member), strcmp(type->type, "NTSTATUS") != 0, type->parameters};
            return true;
        }
    }
    return false;
}
