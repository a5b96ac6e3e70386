/* sample.c - see sample.h. */
#include "sample.h"

#include "check.h"

/* One profile is for about a thousand executions of a script.  A script that was drawn is not worth as many: measured
 * on mutants, blocks of 4 and 8 do as well as each other, of 16 worse. */
enum { BLOCK = 1024, PILOTS = 10, DRAWN_BLOCK = 8, DRAWN_PILOTS = 2 };
enum { SCRIPT_OPS_MIN = 2, SCRIPT_OPS_MAX = 10 };

const char *sampling_name(enum sampling s)
{
    static const char *const names[SAMPLINGS] = {"random", "pct", "pos", "surw", "portfolio"};

    CHECK(s < SAMPLINGS);
    return names[s];
}

/* One to all of the counterparts, and never only one operation: measured, five and three times sooner at a bug
 * that takes two calls and a detach of the same binding. */
void sample_script(const struct vocabulary *words, uint64_t seed, uint64_t index, struct scenario *out)
{
    struct strategy_random r;
    unsigned ops[SITES_MAX], op_count = 0, length, peers;

    strategy_random(&r, ~seed, index);
    peers = words->peer_count ? 1 + random_below(&r, words->peer_count) : 1;
    for (unsigned i = 0; i < words->site_count; i++)
        if (words->sites[i].kinds & 1u << CHOICE_OP && !site_is_setting(&words->sites[i]))
            ops[op_count++] = i;
    out->count = 0;
    out->module = 0;
    if (op_count == 0)
        return;
    length = SCRIPT_OPS_MIN + random_below(&r, SCRIPT_OPS_MAX - SCRIPT_OPS_MIN + 1);
    for (unsigned i = 0; i < length; i++)
        scenario_add(out, (struct record){
            .kind = CHOICE_OP,
            .thread = (uint8_t)(words->driving_count > 1 ? 1 + random_below(&r, words->driving_count - 1) : 0),
            .site = (uint8_t)ops[random_below(&r, op_count)],
            .nth = (uint16_t)random_below(&r, peers),
            .value = (uint16_t)random_below(&r, 8)});
}

static void draw_script(struct sampler *s, uint64_t number)
{
    static struct scenario ops;

    sample_script(s->program->words, s->seed, number, &ops);
    execution_set(s->program, &ops, &s->drawn);
}

/* ---- blocks */

static unsigned block_size(const struct sampler *s)
{
    return s->script ? BLOCK : DRAWN_BLOCK;
}

static unsigned pilot_count(const struct sampler *s)
{
    return s->script ? PILOTS : DRAWN_PILOTS;
}

/* Does each execution of the block walk at random, and draw a script of its own when none is given?  That is best for
 * bugs that need an odd script more than an odd schedule, so the portfolio has every second block of it. */
static bool is_loose(const struct sampler *s, uint64_t block)
{
    return s->sampling == SAMPLE_RANDOM || (s->sampling == SAMPLE_PORTFOLIO && !s->script && block % 2 == 1);
}

static void enter_block(struct sampler *s, uint64_t block)
{
    if (s->block == block)
        return;
    s->block = block;
    s->piloted = 0;
    profile_clear(&s->profile);
    if (!s->script)
        draw_script(s, block);
}

static struct strategy next_pilot(struct sampler *s)
{
    uint64_t index = s->block * block_size(s) + s->piloted++;

    s->ran = SAMPLE_RANDOM;
    s->pilot = true;
    return profile_pilot(&s->profile, strategy_random(&s->state.random, s->seed, index));
}

/* Pilots before this place in the block that have not run: somebody began in the middle. */
static void catch_up(struct sampler *s, unsigned place)
{
    while (s->piloted < place && s->piloted < pilot_count(s)) {
        struct strategy pilot = next_pilot(s);

        (void)execution_run(s->program, s->script ? s->script : &s->drawn, &pilot);
        sampler_end(s);
    }
}

/* ---- executions */

void sampler_begin(struct sampler *s, const struct program *p, const struct scenario *script, enum sampling sampling,
                   unsigned depth, uint64_t seed)
{
    CHECK(depth >= 1 && depth <= PCT_DEPTH_MAX);
    s->program = p;
    s->script = script;
    s->sampling = sampling;
    s->depth = depth;
    s->seed = seed;
    s->block = UINT64_MAX;
    s->pct = (struct sampler_pct){.bound = 1};
    s->pilot = false;
}

/* Whose turn it is. */
static enum sampling strategy_of(const struct sampler *s, unsigned place)
{
    static const enum sampling turns[] = {SAMPLE_SURW, SAMPLE_PCT, SAMPLE_SURW, SAMPLE_POS};

    return s->sampling == SAMPLE_PORTFOLIO ? turns[place % (sizeof turns / sizeof *turns)] : s->sampling;
}

static struct strategy loose(struct sampler *s, uint64_t index)
{
    s->block = UINT64_MAX;
    if (!s->script)
        draw_script(s, index);
    s->ran = SAMPLE_RANDOM;
    return strategy_random(&s->state.random, s->seed, index);
}

struct strategy sampler_strategy(struct sampler *s, uint64_t index, const struct scenario **script)
{
    unsigned place = (unsigned)(index % block_size(s));

    *script = s->script ? s->script : &s->drawn;
    if (is_loose(s, index / block_size(s)))
        return loose(s, index);
    enter_block(s, index / block_size(s));
    catch_up(s, place);
    if (place < pilot_count(s))
        return next_pilot(s);
    s->ran = strategy_of(s, place);
    switch (s->ran) {
    case SAMPLE_PCT: return strategy_pct(&s->state.pct, s->seed, index, s->depth, &s->profile);
    case SAMPLE_POS: return strategy_pos(&s->state.pos, s->seed, index, &s->profile);
    default: return strategy_surw(&s->state.surw, s->seed, index, &s->profile);
    }
}

void sampler_end(struct sampler *s)
{
    if (s->pilot)
        profile_end(&s->profile);
    s->pilot = false;
    if (s->ran == SAMPLE_PCT) {
        double bound = pct_bound(&s->profile, s->depth);

        s->pct.longer += choice_asked[CHOICE_SWITCH] > s->profile.length;
        if (s->pct.threads == 0 || bound < s->pct.bound) {
            s->pct.bound = bound;
            s->pct.threads = s->profile.threads;
            s->pct.length = s->profile.length;
        }
    }
}
