/*
 * mutate.c - see mutate.h.
 *
 * An edit either changes the scenario or says that it could not; then another is drawn.  Records stay
 * canonical throughout: numbers are drawn within their range.
 */
#include "mutate.h"

#include <string.h>

enum { TRIES = 16 };                        /* draws of an edit that changes something */

struct editor {
    const struct mutator *m;
    struct scenario *s;
    unsigned records_max;
    uint64_t random;
};

/* ---- drawing ----------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint32_t draw(struct editor *e)
{
    uint64_t z = e->random += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

static unsigned below(struct editor *e, unsigned limit)
{
    return (unsigned)((uint64_t)draw(e) * limit >> 32);
}

static bool one_in(struct editor *e, unsigned n)
{
    return below(e, n) == 0;
}

/* Small numbers mostly: most bugs are near the start. */
static uint16_t small(struct editor *e)
{
    return (uint16_t)below(e, 1u << below(e, 7));
}

static unsigned peers(const struct editor *e)
{
    return e->m->words->peer_count > 0 ? e->m->words->peer_count : 1;
}

/* Settings are the user's. */
static bool is_drawn(const struct site *site, unsigned kind)
{
    return (site->kinds >> kind & 1) != 0 && !site_is_setting(site);
}

/* Any site that is asked for this kind, or -1. */
static int draw_site(struct editor *e, unsigned kind)
{
    const struct vocabulary *words = e->m->words;
    unsigned count = 0, skip;

    for (unsigned i = 0; i < words->site_count; i++)
        count += is_drawn(&words->sites[i], kind);
    if (count == 0)
        return -1;
    skip = below(e, count);
    for (unsigned i = 0; i < words->site_count; i++)
        if (is_drawn(&words->sites[i], kind) && skip-- == 0)
            return (int)i;
    return -1;
}

/* A driving thread.  Thread 0 sets the scene before the others start, so it gets its share, too. */
static uint8_t draw_driver(struct editor *e)
{
    return (uint8_t)below(e, e->m->words->driving_count);
}

/* A thread that may exist: the driving ones and the first few workers. */
static uint8_t draw_thread(struct editor *e)
{
    const unsigned count = e->m->words->driving_count + 3;

    return (uint8_t)below(e, count < THREADS_MAX ? count : THREADS_MAX);
}

static bool draw_op(struct editor *e, struct record *r)
{
    const int site = draw_site(e, CHOICE_OP);

    if (site < 0)
        return false;
    *r = (struct record){.kind = CHOICE_OP, .thread = draw_driver(e), .site = (uint8_t)site,
                         .nth = (uint16_t)(one_in(e, 2) ? 0 : below(e, peers(e))),
                         .value = (uint16_t)(one_in(e, 2) ? 0 : below(e, 8))};
    return true;
}

/* A value for a record other than op, and other than the one it has where there is another. */
static bool draw_value(struct editor *e, struct record *r)
{
    const uint16_t old = r->value;
    unsigned count;

    if (r->kind == CHOICE_SWITCH) {
        r->value = draw_thread(e);
        return r->value != old;
    }
    count = site_value_count(&e->m->words->sites[r->site]);
    if (count < 2)
        return false;
    r->value = (uint16_t)(1 + below(e, count - 1));
    return r->value != old;
}

/* Any of the choices of this kind that were asked, or NULL. */
static const struct choice_point *draw_asked(struct editor *e, unsigned kind)
{
    const struct mutator *m = e->m;
    unsigned count = 0, skip;

    for (unsigned i = 0; i < m->asked_count; i++)
        count += m->asked[i].kind == kind;
    if (count == 0)
        return NULL;
    skip = below(e, count);
    for (unsigned i = 0; i < m->asked_count; i++)
        if (m->asked[i].kind == kind && skip-- == 0)
            return &m->asked[i];
    return NULL;
}

/* The record that gives this choice a random answer other than 0.  What was asked comes from another process
 * under AFL++, so it is not trusted. */
static bool answer_asked(struct editor *e, const struct choice_point *p, struct record *r)
{
    const struct vocabulary *words = e->m->words;
    unsigned options = p->options;

    if (p->kind >= CHOICE_KINDS || p->site >= words->site_count || (words->sites[p->site].kinds >> p->kind & 1) == 0)
        return false;
    *r = (struct record){.kind = p->kind, .thread = p->thread, .site = p->site, .nth = p->nth};
    if (p->thread >= (p->kind == CHOICE_PEER ? peers(e) : THREADS_MAX))
        return false;
    if (p->kind == CHOICE_SWITCH) {
        uint32_t others = p->enabled & ~(1u << p->dull % THREADS_MAX) & ((1u << THREADS_MAX) - 1);

        if (others == 0)
            return false;
        for (unsigned skip = below(e, (unsigned)__builtin_popcount(others)); skip > 0; skip--)
            others &= others - 1;
        r->value = (uint16_t)__builtin_ctz(others);
        return true;
    }
    if (options > site_value_count(&words->sites[p->site]))
        options = site_value_count(&words->sites[p->site]);
    if (options < 2)
        return false;
    r->value = (uint16_t)(1 + below(e, options - 1));
    return true;
}

/* A record of this kind at a place that was really reached, or else anywhere. */
static bool draw_choice(struct editor *e, unsigned kind, struct record *r)
{
    const struct choice_point *p = one_in(e, 8) ? NULL : draw_asked(e, kind);
    int site;

    if (p != NULL && answer_asked(e, p, r))
        return true;
    site = draw_site(e, kind);
    if (site < 0)
        return false;
    *r = (struct record){.kind = (uint8_t)kind, .site = (uint8_t)site, .nth = small(e),
                         .thread = (uint8_t)(kind == CHOICE_PEER ? below(e, peers(e)) : draw_thread(e))};
    draw_value(e, r);
    return r->kind == CHOICE_SWITCH || r->value != 0;
}

static unsigned draw_choice_kind(struct editor *e)
{
    static const uint8_t kinds[] = {CHOICE_SWITCH, CHOICE_SWITCH, CHOICE_SWITCH, CHOICE_SWITCH,
                                    CHOICE_SWITCH, CHOICE_FAULT, CHOICE_PEER, CHOICE_PEER, CHOICE_SYSTEM};

    return kinds[below(e, sizeof kinds)];
}

/* ---- lists of records -------------------------------------------------------------------------- */

static bool same_key(const struct record *a, const struct record *b)
{
    return a->kind == b->kind && a->thread == b->thread && a->site == b->site && a->nth == b->nth;
}

static bool insert_at(struct editor *e, unsigned at, struct record r)
{
    struct scenario *s = e->s;

    if (s->count >= e->records_max)
        return false;
    memmove(&s->records[at + 1], &s->records[at], (s->count - at) * sizeof r);
    s->records[at] = r;
    s->count++;
    return true;
}

/* Ops go anywhere; a choice replaces the one with its key, else it goes to the end. */
static bool put(struct editor *e, struct record r)
{
    if (r.kind == CHOICE_OP)
        return insert_at(e, below(e, e->s->count + 1), r);
    for (unsigned i = 0; i < e->s->count; i++)
        if (same_key(&e->s->records[i], &r)) {
            const bool changed = e->s->records[i].value != r.value;
            e->s->records[i] = r;
            return changed;
        }
    return insert_at(e, e->s->count, r);
}

/* Any record, or NULL: there is none, or it is a setting. */
static struct record *draw_record(struct editor *e)
{
    struct record *r = e->s->count > 0 ? &e->s->records[below(e, e->s->count)] : NULL;

    return r != NULL && !site_is_setting(&e->m->words->sites[r->site]) ? r : NULL;
}

/* ---- edits ------------------------------------------------------------------------------------- */

static bool edit_insert_op(struct editor *e)
{
    struct record r;

    return draw_op(e, &r) && put(e, r);
}

/* A few operations about one counterpart, on one thread or on two. */
static bool edit_insert_ops(struct editor *e)
{
    const uint16_t peer = (uint16_t)below(e, peers(e));
    const uint8_t threads[2] = {draw_driver(e), draw_driver(e)};
    bool changed = false;

    for (unsigned i = 2 + below(e, 3); i > 0; i--) {
        struct record r;

        if (!draw_op(e, &r))
            return false;
        r.nth = peer;
        r.thread = threads[below(e, 2)];
        changed |= insert_at(e, e->s->count, r);
    }
    return changed;
}

static bool edit_insert_choice(struct editor *e)
{
    struct record r;

    return draw_choice(e, draw_choice_kind(e), &r) && put(e, r);
}

static bool edit_delete(struct editor *e)
{
    if (e->s->count == 0)
        return false;
    scenario_cut(e->s, below(e, e->s->count), 1);
    return true;
}

static bool edit_delete_run(struct editor *e)
{
    if (e->s->count < 3)
        return false;
    const unsigned at = below(e, e->s->count);
    const unsigned room = e->s->count - at;
    scenario_cut(e->s, at, 1 + below(e, room < 8 ? room : 8));
    return true;
}

/* An op once more, on the same thread or another; a choice again at a later visit. */
static bool edit_duplicate(struct editor *e)
{
    const struct record *old = draw_record(e);

    if (old == NULL)
        return false;
    struct record r = *old;
    if (r.kind != CHOICE_OP)
        r.nth = (uint16_t)(r.nth + 1 + small(e));
    else if (one_in(e, 2))
        r.thread = draw_driver(e);
    return put(e, r);
}

static bool edit_swap(struct editor *e)
{
    struct record *a = draw_record(e), *b = draw_record(e);

    if (a == NULL || b == NULL || a == b || memcmp(a, b, sizeof *a) == 0)
        return false;
    const struct record r = *a;
    *a = *b;
    *b = r;
    return true;
}

static bool edit_thread(struct editor *e)
{
    struct record *r = draw_record(e);

    if (r == NULL)
        return false;
    const uint8_t old = r->thread;
    r->thread = r->kind == CHOICE_OP     ? draw_driver(e)
                : r->kind == CHOICE_PEER ? (uint8_t)below(e, peers(e))
                                         : draw_thread(e);
    return r->thread != old;
}

/* Move an anchor one visit up or down, or further; an op to another counterpart. */
static bool edit_nth(struct editor *e)
{
    struct record *r = draw_record(e);

    if (r == NULL)
        return false;
    const uint16_t old = r->nth;
    if (r->kind == CHOICE_OP)
        r->nth = (uint16_t)below(e, peers(e));
    else if (one_in(e, 4))
        r->nth = small(e);
    else
        r->nth = (uint16_t)(one_in(e, 2) || r->nth == 0 ? r->nth + 1 : r->nth - 1);
    return r->nth != old;
}

/* The same kind of record somewhere else: at another site, or at a place that was reached. */
static bool edit_site(struct editor *e)
{
    struct record *r = draw_record(e), moved;

    if (r == NULL)
        return false;
    if (r->kind != CHOICE_OP && !one_in(e, 4)) {
        const struct choice_point *p = draw_asked(e, r->kind);

        if (p == NULL || !answer_asked(e, p, &moved))
            return false;
        *r = moved;
        return true;
    }
    const int site = draw_site(e, r->kind);
    if (site < 0 || site == r->site)
        return false;
    moved = *r;
    moved.site = (uint8_t)site;
    if (r->kind != CHOICE_OP && r->kind != CHOICE_SWITCH) {
        moved.value = 0;
        if (!draw_value(e, &moved))
            return false;
    }
    *r = moved;
    return true;
}

static bool edit_value(struct editor *e)
{
    struct record *r = draw_record(e);

    if (r == NULL)
        return false;
    if (r->kind != CHOICE_OP)
        return draw_value(e, r);
    const uint16_t old = r->value;
    r->value = (uint16_t)(one_in(e, 32) ? draw(e) : below(e, 8));
    return r->value != old;
}

/* A fault or a system choice away, or one more. */
static bool edit_toggle(struct editor *e)
{
    const unsigned kind = one_in(e, 3) ? CHOICE_SYSTEM : CHOICE_FAULT;
    struct record r;

    for (unsigned i = 0, skip = below(e, 4); i < e->s->count; i++)
        if (e->s->records[i].kind == kind && skip-- == 0) {
            scenario_cut(e->s, i, 1);
            return true;
        }
    return draw_choice(e, kind, &r) && put(e, r);
}

/* Take a record out and put it back elsewhere: the order of operations. */
static bool edit_move(struct editor *e)
{
    if (e->s->count < 2)
        return false;
    const unsigned from = below(e, e->s->count), to = below(e, e->s->count);
    const struct record r = e->s->records[from];
    if (from == to)
        return false;
    scenario_cut(e->s, from, 1);
    return insert_at(e, to, r);
}

/* Leave a thread and come back to it: a window for the others. */
static bool edit_window(struct editor *e)
{
    const struct choice_point *p = draw_asked(e, CHOICE_SWITCH);
    struct record there, back;

    if (p == NULL || !answer_asked(e, p, &there) || there.value == there.thread)
        return false;
    const bool changed = put(e, there);
    for (unsigned i = 0; i < TRIES; i++) {
        p = draw_asked(e, CHOICE_SWITCH);
        if (p->thread == there.value && answer_asked(e, p, &back)) {
            back.value = there.thread;
            return put(e, back) || changed;
        }
    }
    return changed;
}

static bool edit_bytes(struct editor *e)
{
    uint8_t bytes[SCENARIO_BYTES_MAX];
    struct scenario before = *e->s;
    const size_t capacity = SCENARIO_HEADER_BYTES + SCENARIO_RECORD_BYTES * (size_t)e->records_max;
    size_t size = scenario_encode(e->s, bytes, capacity);

    if (e->m->mutate_bytes == NULL)
        return false;
    size = e->m->mutate_bytes(bytes, size, capacity);
    if (size == 0 || size > capacity)
        return false;
    scenario_decode(e->s, e->m->words, bytes, size);
    e->s->module = before.module;
    if (e->s->count > e->records_max)       /* the header was lost, and its room taken by a record */
        e->s->count = e->records_max;
    return e->s->count != before.count
        || memcmp(e->s->records, before.records, before.count * sizeof before.records[0]) != 0;
}

void mutate_records(const struct mutator *m, struct scenario *s, unsigned records_max, unsigned edits, uint64_t seed)
{
    /* Listed more often: drawn more often. */
    static bool (*const table[])(struct editor *) = {
        edit_insert_choice, edit_insert_choice, edit_insert_choice, edit_insert_choice, edit_insert_choice,
        edit_insert_op, edit_insert_op, edit_insert_ops, edit_delete, edit_delete, edit_delete_run,
        edit_duplicate, edit_swap, edit_move, edit_thread, edit_nth, edit_nth, edit_site, edit_site, edit_value,
        edit_value, edit_toggle, edit_window, edit_window};
    struct editor e = {.m = m, .s = s, .records_max = records_max, .random = seed};

    if (e.records_max > SCENARIO_RECORDS_MAX)
        e.records_max = SCENARIO_RECORDS_MAX;
    if (s->count > e.records_max)
        s->count = e.records_max;
    if (m->mutate_bytes != NULL && one_in(&e, 8) && edit_bytes(&e))
        return;
    for (; edits > 0; edits--)
        for (unsigned i = 0; i < TRIES; i++)
            if (table[below(&e, sizeof table / sizeof *table)](&e))
                break;
}

/* ---- over bytes -------------------------------------------------------------------------------- */

void mutate_read(struct scenario *s, const struct vocabulary *words, const uint8_t *bytes, size_t size)
{
    char module[SCENARIO_MODULE_MAX];
    struct scenario_error error;

    if (!scenario_is_binary(bytes, size) && scenario_is_text(bytes, size)
        && scenario_parse(s, words, (const char *)bytes, size, module, &error))
        return;
    scenario_decode(s, words, bytes, size);
}

/* How many records fit beside a header. */
static unsigned room(size_t capacity)
{
    return (unsigned)((capacity < SCENARIO_BYTES_MAX ? capacity : SCENARIO_BYTES_MAX) / SCENARIO_RECORD_BYTES) - 1;
}

size_t mutate(const struct mutator *m, uint8_t *bytes, size_t size, size_t capacity, unsigned edits, uint64_t seed)
{
    struct scenario s;

    if (capacity < SCENARIO_HEADER_BYTES)
        return size < capacity ? size : capacity;
    mutate_read(&s, m->words, bytes, size);
    s.module = m->module;
    mutate_records(m, &s, room(capacity), edits, seed);
    return scenario_encode(&s, bytes, capacity);
}

/* Which of the parents a record comes from, in four manners. */
static bool inherits(struct editor *e, unsigned manner, uint32_t mask, const struct record *r, bool from_a)
{
    switch (manner) {
    case 0:                                 /* the script of one, the answers of the other */
        return (r->kind == CHOICE_OP) == from_a;
    case 1:                                 /* some threads of one, the other threads of the other */
        return (mask >> r->thread % 32 & 1) == from_a;
    case 2:                                 /* some kinds of one */
        return (mask >> r->kind & 1) == from_a;
    default:                                /* all of one, some of the other */
        return from_a || one_in(e, 2);
    }
}

size_t mutate_crossover(const struct mutator *m, const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                        uint8_t *out, size_t capacity, uint64_t seed)
{
    struct scenario parents[2], child = {.module = m->module};
    struct editor e = {.m = m, .s = &child, .random = seed};

    if (capacity < SCENARIO_HEADER_BYTES)
        return 0;
    mutate_read(&parents[0], m->words, a, a_size);
    mutate_read(&parents[1], m->words, b, b_size);
    e.records_max = room(capacity);

    const unsigned manner = below(&e, 4);
    const uint32_t mask = draw(&e);
    for (unsigned p = 0; p < 2; p++)
        for (unsigned i = 0; i < parents[p].count; i++) {
            const struct record r = parents[p].records[i];

            if (!inherits(&e, manner, mask, &r, p == 0))
                continue;
            if (r.kind == CHOICE_OP)
                insert_at(&e, child.count, r);  /* ops stay in order */
            else
                put(&e, r);
        }
    return scenario_encode(&child, out, capacity);
}

/* ---- trimming ---------------------------------------------------------------------------------- */

unsigned trim_begin(struct trim *t, const struct vocabulary *words, const uint8_t *bytes, size_t size)
{
    mutate_read(&t->best, words, bytes, size);
    t->step = 0;
    t->steps = t->best.count;
    t->at = t->best.count - 1;              /* unused when there is none */
    return t->steps;
}

size_t trim_candidate(const struct trim *t, uint8_t *bytes, size_t capacity)
{
    struct scenario s = t->best;

    if (t->at < s.count)
        scenario_cut(&s, t->at, 1);
    return scenario_encode(&s, bytes, capacity);
}

unsigned trim_judge(struct trim *t, bool accepted)
{
    if (t->step >= t->steps)
        return t->steps;
    if (accepted)
        scenario_cut(&t->best, t->at, 1);
    t->at--;                                /* each record is tried once, so this ends whatever is answered */
    return ++t->step;
}
