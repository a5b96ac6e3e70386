/*
 * scenario.c - scenarios in memory, in bytes and in text.
 *
 * Binary: 8 bytes of header ('N' 'M' 'C', format version, module hash), then 8 bytes a record (kind,
 * thread, site, 0, nth, value), numbers little-endian.  The version is written but not judged: a
 * decoder that refused anything would waste a fuzzer's executions, and no header byte is a valid kind.
 *
 * Text: a line is words between blanks; "=" and "->" are words of their own.  "#" starts a comment,
 * except that "#3" after the first word of a line is a visit number.
 */
#include "scenario.h"

#include <stdarg.h>
#include <string.h>

enum { FORMAT_VERSION = 1, LINE_MAX_BYTES = 256 };

static const uint8_t magic[3] = {'N', 'M', 'C'};

/* ---- binary ------------------------------------------------------------------------------------ */

static uint16_t get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void put16(uint8_t *bytes, uint16_t number)
{
    bytes[0] = (uint8_t)number;
    bytes[1] = (uint8_t)(number >> 8);
}

static uint32_t hash_bytes(const char *bytes, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 16777619u;
    return hash != 0 ? hash : 1;
}

uint32_t scenario_module_hash(const char *name)
{
    return hash_bytes(name, strlen(name));
}

bool scenario_add(struct scenario *s, struct record r)
{
    if (s->count >= SCENARIO_RECORDS_MAX)
        return false;
    s->records[s->count++] = r;
    return true;
}

void scenario_cut(struct scenario *s, unsigned at, unsigned length)
{
    memmove(&s->records[at], &s->records[at + length], (s->count - at - length) * sizeof s->records[0]);
    s->count -= length;
}

/* Bring all fields into range.  False when the record says nothing: its kind or site is unknown, or
 * its answer is the dull one. */
static bool record_reduce(struct record *r, const struct vocabulary *words)
{
    if (r->kind >= CHOICE_KINDS || r->site >= words->site_count)
        return false;

    const struct site *site = &words->sites[r->site];
    const unsigned peers = words->peer_count > 0 ? words->peer_count : 1;

    if ((site->kinds & 1u << r->kind) == 0)
        return false;
    r->zero = 0;
    switch ((enum choice_kind)r->kind) {
    case CHOICE_OP:
        r->thread = (uint8_t)(r->thread % words->driving_count);
        r->nth = (uint16_t)(site_is_setting(site) ? 0 : r->nth % peers);
        if (site_is_setting(site))
            r->value = (uint16_t)(r->value % site_value_count(site));
        return true;
    case CHOICE_SWITCH:
        r->thread %= THREADS_MAX;
        r->value %= THREADS_MAX;            /* a thread number: 0 is a thread like any other */
        return true;
    case CHOICE_PEER:
    case CHOICE_FAULT:
    case CHOICE_SYSTEM:
    case CHOICE_KINDS:
        break;
    }
    r->thread = (uint8_t)(r->thread % (r->kind == CHOICE_PEER ? peers : THREADS_MAX));
    r->value = (uint16_t)(r->value % site_value_count(site));
    return r->value != 0;
}

void scenario_decode(struct scenario *s, const struct vocabulary *words, const uint8_t *bytes, size_t size)
{
    size_t at = 0;

    s->count = 0;
    s->module = 0;
    if (scenario_is_binary(bytes, size) && size >= SCENARIO_HEADER_BYTES) {
        s->module = (uint32_t)get16(bytes + 4) | (uint32_t)get16(bytes + 6) << 16;
        at = SCENARIO_HEADER_BYTES;
    }
    for (; size - at >= SCENARIO_RECORD_BYTES && s->count < SCENARIO_RECORDS_MAX; at += SCENARIO_RECORD_BYTES) {
        struct record r = {
            .kind = bytes[at], .thread = bytes[at + 1], .site = bytes[at + 2],
            .nth = get16(bytes + at + 4), .value = get16(bytes + at + 6),
        };
        if (record_reduce(&r, words))
            s->records[s->count++] = r;
    }
}

size_t scenario_encode(const struct scenario *s, uint8_t *bytes, size_t capacity)
{
    if (capacity < SCENARIO_HEADER_BYTES)
        return 0;
    memcpy(bytes, magic, sizeof magic);
    bytes[3] = FORMAT_VERSION;
    put16(bytes + 4, (uint16_t)s->module);
    put16(bytes + 6, (uint16_t)(s->module >> 16));

    size_t at = SCENARIO_HEADER_BYTES;
    for (unsigned i = 0; i < s->count && capacity - at >= SCENARIO_RECORD_BYTES; i++, at += SCENARIO_RECORD_BYTES) {
        const struct record *r = &s->records[i];
        bytes[at] = r->kind;
        bytes[at + 1] = r->thread;
        bytes[at + 2] = r->site;
        bytes[at + 3] = 0;
        put16(bytes + at + 4, r->nth);
        put16(bytes + at + 6, r->value);
    }
    return at;
}

bool scenario_is_binary(const uint8_t *bytes, size_t size)
{
    return size >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

bool scenario_is_text(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        const uint8_t c = bytes[i];
        if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            return false;                   /* bytes from 0x80 up: UTF-8 in a comment */
    }
    return true;
}

/* ---- text: writing ----------------------------------------------------------------------------- */

static void name_of(char buffer[8], const char *prefix, unsigned number)
{
    snprintf(buffer, 8, "%.3s%u", prefix, number % 1000);
}

const char *thread_name(const struct vocabulary *words, unsigned thread, char buffer[8])
{
    if (thread < words->driving_count)
        name_of(buffer, words->driving_prefix, thread);
    else
        name_of(buffer, words->worker_prefix, thread - words->driving_count);
    return buffer;
}

static int kind_width(const struct vocabulary *words)
{
    size_t width = 0;

    for (unsigned kind = 0; kind < CHOICE_KINDS; kind++)
        if (strlen(words->kind_names[kind]) > width)
            width = strlen(words->kind_names[kind]);
    return (int)width;
}

/* The name of an answer; records that are not canonical are printed too: reproducers of our own bugs hold them. */
static const char *value_name(const struct site *site, unsigned value)
{
    return site != NULL && site->values != NULL && value < site_value_count(site) ? site->values[value] : "?";
}

size_t record_format(const struct record *r, const struct vocabulary *words, char *line, size_t capacity)
{
    const struct site *site = r->site < words->site_count ? &words->sites[r->site] : NULL;
    const char *kind = r->kind < CHOICE_KINDS ? words->kind_names[r->kind] : "?";
    const char *name = site != NULL ? site->name : "?";
    const int width = kind_width(words);
    char who[8], other[8], visit[16] = "", argument[16] = "";
    int length;

    thread_name(words, r->thread, who);
    switch (r->kind) {
    case CHOICE_OP:
        if (site != NULL && site_is_setting(site)) {
            length = snprintf(line, capacity, "%-*s %-2s %s %s", width, kind, who, name, value_name(site, r->value));
            break;
        }
        name_of(other, words->peer_prefix, r->nth);
        if (r->value != 0)
            snprintf(argument, sizeof argument, " %u", (unsigned)r->value);
        length = snprintf(line, capacity, "%-*s %-2s %s %s%s", width, kind, who, name, other, argument);
        break;
    case CHOICE_PEER:
        name_of(who, words->peer_prefix, r->thread);
        if (r->nth != 0)
            snprintf(visit, sizeof visit, " #%u", r->nth + 1u);
        length = snprintf(line, capacity, "%-*s %-2s %s%s = %s", width, kind, who, name, visit,
                          value_name(site, r->value));
        break;
    case CHOICE_SWITCH:
        thread_name(words, r->value, other);
        length = snprintf(line, capacity, "%-*s %-2s at %s #%u -> %s", width, kind, who, name, r->nth + 1u, other);
        break;
    default:
        length = snprintf(line, capacity, "%-*s %-2s at %s #%u = %s", width, kind, who, name, r->nth + 1u,
                          value_name(site, r->value));
        break;
    }
    if (length < 0 || capacity == 0)
        return 0;
    return (size_t)length < capacity ? (size_t)length : capacity - 1;
}

void scenario_print(const struct scenario *s, const struct vocabulary *words, const char *module,
                    const char *comment, FILE *out)
{
    while (comment != NULL && *comment != '\0') {
        const size_t length = strcspn(comment, "\n");
        fprintf(out, "#%s%.*s\n", length > 0 ? " " : "", (int)length, comment);
        comment += length + (comment[length] == '\n');
    }
    if (module != NULL && *module != '\0')
        fprintf(out, "module %s\n", module);
    for (unsigned i = 0; i < s->count; i++) {
        char line[LINE_MAX_BYTES];
        record_format(&s->records[i], words, line, sizeof line);
        fprintf(out, "%s\n", line);
    }
}

/* ---- text: reading ----------------------------------------------------------------------------- */

struct word {
    const char *text;
    int length;                             /* 0: the line is over */
};

struct parser {
    const struct vocabulary *words;
    const char *at, *end;                   /* the rest of the line */
    bool first;                             /* no word of the line was read yet */
    struct scenario_error *error;
};

__attribute__((format(printf, 2, 3)))
static bool fail(struct parser *p, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(p->error->reason, sizeof p->error->reason, format, arguments);
    va_end(arguments);
    for (char *c = p->error->reason; *c != '\0'; c++)
        if ((uint8_t)*c < ' ' || *c == 0x7f)
            *c = '?';
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "=" or "->" here: its length, else 0. */
static int sign_length(const char *at, const char *end)
{
    if (at < end && *at == '=')
        return 1;
    return end - at >= 2 && at[0] == '-' && at[1] == '>' ? 2 : 0;
}

static struct word next_word(struct parser *p)
{
    while (p->at < p->end && is_blank(*p->at))
        p->at++;

    struct word w = {p->at, 0};
    const bool comment = p->at < p->end && *p->at == '#'
        && (p->first || p->end - p->at < 2 || !is_digit(p->at[1]));
    const int sign = sign_length(p->at, p->end);

    p->first = false;
    if (comment) {
        p->at = p->end;
        return w;
    }
    p->at += sign;
    if (sign == 0)
        while (p->at < p->end && !is_blank(*p->at) && sign_length(p->at, p->end) == 0)
            p->at++;
    w.length = (int)(p->at - w.text);
    return w;
}

static bool word_is(struct word w, const char *text)
{
    return strlen(text) == (size_t)w.length && memcmp(w.text, text, (size_t)w.length) == 0;
}

/* A decimal number of at most six digits; false for anything else. */
static bool number_of(const char *text, int length, unsigned *number)
{
    if (length < 1 || length > 6)
        return false;
    *number = 0;
    for (int i = 0; i < length; i++) {
        if (!is_digit(text[i]))
            return false;
        *number = *number * 10 + (unsigned)(text[i] - '0');
    }
    return true;
}

/* A word made of `prefix` and a number below `limit`. */
static bool numbered(struct word w, const char *prefix, unsigned limit, unsigned *number)
{
    const int length = (int)strlen(prefix);

    return w.length > length && memcmp(w.text, prefix, (size_t)length) == 0
        && number_of(w.text + length, w.length - length, number) && *number < limit;
}

static bool parse_end(struct parser *p)
{
    const struct word w = next_word(p);

    return w.length == 0 || fail(p, "unexpected '%.*s' at the end of the line", w.length, w.text);
}

/* Is this word that text? */
static bool expect_word(struct parser *p, struct word w, const char *text)
{
    if (word_is(w, text))
        return true;
    if (w.length == 0)
        return fail(p, "expected '%s' before the end of the line", text);
    return fail(p, "expected '%s' instead of '%.*s'", text, w.length, w.text);
}

static bool expect(struct parser *p, const char *text)
{
    return expect_word(p, next_word(p), text);
}

static bool parse_thread(struct parser *p, bool driving, unsigned *thread)
{
    const struct vocabulary *words = p->words;
    const struct word w = next_word(p);

    if (numbered(w, words->driving_prefix, words->driving_count, thread))
        return true;
    if (numbered(w, words->worker_prefix, THREADS_MAX - words->driving_count, thread)) {
        *thread += words->driving_count;
        return !driving || fail(p, "'%.*s' is not a driving thread: %s0 to %s%u are", w.length, w.text,
                                words->driving_prefix, words->driving_prefix, words->driving_count - 1);
    }
    if (w.length == 0)
        return fail(p, "expected a thread");
    return fail(p, "unknown thread '%.*s'", w.length, w.text);
}

static bool parse_peer(struct parser *p, struct word w, unsigned *peer)
{
    if (numbered(w, p->words->peer_prefix, p->words->peer_count, peer))
        return true;
    if (w.length == 0)
        return fail(p, "expected a counterpart");
    return fail(p, "unknown counterpart '%.*s'", w.length, w.text);
}

static bool parse_site(struct parser *p, enum choice_kind kind, uint8_t *site)
{
    const struct vocabulary *words = p->words;
    const struct word w = next_word(p);
    bool known = false;

    for (unsigned i = 0; i < words->site_count && w.length > 0; i++) {
        if (!word_is(w, words->sites[i].name))
            continue;
        known = words->sites[i].kinds != 0;
        if ((words->sites[i].kinds & 1u << kind) != 0) {
            *site = (uint8_t)i;
            return true;
        }
    }
    if (w.length == 0)
        return fail(p, "expected a site");
    if (known)
        return fail(p, "site '%.*s' has no '%s' choice", w.length, w.text, words->kind_names[kind]);
    return fail(p, "unknown site '%.*s'", w.length, w.text);
}

static bool parse_visit(struct parser *p, struct word w, uint16_t *nth)
{
    unsigned number;

    if (w.length < 2 || w.text[0] != '#' || !number_of(w.text + 1, w.length - 1, &number)) {
        if (w.length == 0)
            return fail(p, "expected a visit number such as #1 before the end of the line");
        return fail(p, "expected a visit number such as #1 instead of '%.*s'", w.length, w.text);
    }
    if (number < 1 || number > 65536)
        return fail(p, "visit number %u is not in 1 to 65536", number);
    *nth = (uint16_t)(number - 1);
    return true;
}

static bool parse_value(struct parser *p, uint8_t site_number, uint16_t *value)
{
    const struct site *site = &p->words->sites[site_number];
    const struct word w = next_word(p);

    for (unsigned i = 0; site->values != NULL && site->values[i] != NULL; i++)
        if (word_is(w, site->values[i])) {
            *value = (uint16_t)i;
            return true;
        }

    bool ok = w.length == 0 ? fail(p, "expected an answer of '%s':", site->name)
                            : fail(p, "unknown answer '%.*s' of '%s'; there are:", w.length, w.text, site->name);
    for (unsigned i = 0; site->values != NULL && site->values[i] != NULL; i++) {
        const size_t used = strlen(p->error->reason);
        snprintf(p->error->reason + used, sizeof p->error->reason - used, " %s", site->values[i]);
    }
    return ok;
}

static bool parse_op(struct parser *p, struct record *r)
{
    unsigned thread, peer = 0, argument = 0;

    if (!parse_thread(p, true, &thread) || !parse_site(p, CHOICE_OP, &r->site))
        return false;
    r->thread = (uint8_t)thread;
    r->nth = 0;
    if (site_is_setting(&p->words->sites[r->site]))
        return parse_value(p, r->site, &r->value);
    const struct word w = next_word(p);
    if (w.length > 0) {
        if (!parse_peer(p, w, &peer))
            return false;
        const struct word v = next_word(p);
        if (v.length > 0 && (!number_of(v.text, v.length, &argument) || argument > UINT16_MAX))
            return fail(p, "argument '%.*s' is not a number from 0 to 65535", v.length, v.text);
    }
    r->nth = (uint16_t)peer;
    r->value = (uint16_t)argument;
    return true;
}

static bool parse_peer_record(struct parser *p, struct record *r)
{
    unsigned peer;

    if (!parse_peer(p, next_word(p), &peer) || !parse_site(p, CHOICE_PEER, &r->site))
        return false;
    r->thread = (uint8_t)peer;

    struct word w = next_word(p);
    if (w.length > 0 && w.text[0] == '#') {
        if (!parse_visit(p, w, &r->nth))
            return false;
        w = next_word(p);
    }
    return expect_word(p, w, "=") && parse_value(p, r->site, &r->value);
}

static bool parse_choice(struct parser *p, struct record *r)
{
    unsigned thread, target;

    if (!parse_thread(p, false, &thread) || !expect(p, "at")
        || !parse_site(p, (enum choice_kind)r->kind, &r->site) || !parse_visit(p, next_word(p), &r->nth))
        return false;
    r->thread = (uint8_t)thread;
    if (r->kind != CHOICE_SWITCH)
        return expect(p, "=") && parse_value(p, r->site, &r->value);
    if (!expect(p, "->") || !parse_thread(p, false, &target))
        return false;
    r->value = (uint16_t)target;
    return true;
}

static bool parse_module(struct parser *p, struct scenario *s, char module[SCENARIO_MODULE_MAX])
{
    const struct word w = next_word(p);

    if (w.length == 0)
        return fail(p, "expected a module name");
    if (module[0] != '\0')
        return fail(p, "a second 'module' line");
    if (s->count > 0)
        return fail(p, "the 'module' line must come before the records");
    if (w.length >= SCENARIO_MODULE_MAX)
        return fail(p, "the module name is longer than %d characters", SCENARIO_MODULE_MAX - 1);
    memcpy(module, w.text, (size_t)w.length);
    module[w.length] = '\0';
    s->module = hash_bytes(w.text, (size_t)w.length);
    return parse_end(p);
}

static bool parse_line(struct parser *p, struct scenario *s, char module[SCENARIO_MODULE_MAX])
{
    const struct word w = next_word(p);
    struct record r = {0};
    unsigned kind = 0;

    if (w.length == 0)
        return true;
    if (word_is(w, "module"))
        return parse_module(p, s, module);
    while (kind < CHOICE_KINDS && !word_is(w, p->words->kind_names[kind]))
        kind++;
    if (kind == CHOICE_KINDS)
        return fail(p, "unknown kind of record '%.*s'", w.length, w.text);

    r.kind = (uint8_t)kind;
    const bool ok = kind == CHOICE_OP ? parse_op(p, &r) : kind == CHOICE_PEER ? parse_peer_record(p, &r)
                                                                              : parse_choice(p, &r);
    if (!ok || !parse_end(p))
        return false;
    if (!record_reduce(&r, p->words))
        return true;                        /* the dull answer, spelt out */
    return scenario_add(s, r) || fail(p, "more than %d records", SCENARIO_RECORDS_MAX);
}

bool scenario_parse(struct scenario *s, const struct vocabulary *words, const char *text, size_t size,
                    char module[SCENARIO_MODULE_MAX], struct scenario_error *error)
{
    const char *end = text + size;

    s->count = 0;
    s->module = 0;
    module[0] = '\0';
    error->line = 0;
    error->reason[0] = '\0';
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;                          /* the mark that some Windows editors put first */

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline != NULL ? newline : end;
        struct parser p = {.words = words, .at = text, .end = line_end, .first = true, .error = error};

        error->line++;
        if (!parse_line(&p, s, module))
            return false;
        text = newline != NULL ? newline + 1 : end;
    }
    return true;
}
