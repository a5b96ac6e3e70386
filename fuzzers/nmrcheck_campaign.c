/* nmrcheck_campaign.c - exploring under a clock: callbacks, progress, honest sentences about what was covered. */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { TERMINAL_EVERY_MS = 200, LOG_EVERY_MS = 10000 };
#define AUTO_SLICE 0.1                      /* seconds, of the first round */

/* ---- simulated states ---------------------------------------------------------------------------- */

/* Hashes of the states that were seen, at most half full; what comes later is not counted. */
enum { STATE_SLOTS = 1 << 20 };
static struct { uint32_t slots[STATE_SLOTS]; unsigned count; } states;

static void note_state(uint32_t hash)
{
    hash += hash == 0;                      /* 0 marks an empty slot */
    unsigned i = hash * 2654435761u % STATE_SLOTS;
    for (; states.slots[i] != 0; i = (i + 1) % STATE_SLOTS)
        if (states.slots[i] == hash)
            return;
    if (states.count == STATE_SLOTS / 2)
        return;
    states.slots[i] = hash;
    states.count++;
}

/* ---- time ------------------------------------------------------------------------------------------ */

double cli_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double sooner(double a, double b)
{
    return b <= 0 || a < b ? a : b;         /* no deadline is 0 */
}

const char *cli_count(uint64_t value)
{
    static char texts[8][32];
    static unsigned next;
    char *at = texts[next] + sizeof texts[next] - 1;
    next = (next + 1) % 8;
    unsigned digits = 0;
    do {
        if (digits != 0 && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + value % 10);
        digits++;
    } while ((value /= 10) != 0);
    return at;
}

void campaign_begin(struct campaign *c, struct findings *f, struct summary *s, double seconds, bool keep_going)
{
    c->findings = f;
    c->summary = s;
    c->phase = "";
    c->started = c->phase_started = c->printed = cli_now();
    c->deadline = seconds > 0 ? c->started + seconds : 0;
    c->keep_going = keep_going;
    world_on_state = note_state;
    *s = (struct summary){.tool = cli_words.tool, .module = f->module->image.name, .verdict = ""};
}

bool campaign_over(const struct campaign *c)
{
    return cli_interrupted || c->findings->failed || (c->found_now && !c->keep_going) ||
           (c->deadline > 0 && cli_now() >= c->deadline);
}

/* ---- progress --------------------------------------------------------------------------------- */

void campaign_progress_clear(struct campaign *c)
{
    if (c->line_open)
        fprintf(stderr, "\r\033[K");
    c->line_open = false;
}

static void progress(struct campaign *c, uint64_t executions)
{
    static int terminal = -1;
    if (terminal < 0)
        terminal = isatty(STDERR_FILENO);
    double now = cli_now(), phase = now - c->phase_started;
    if ((now - c->printed) * 1000 < (terminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS))
        return;
    c->printed = now;
    executions += c->phase_executions;
    char left[40] = "";
    if (c->deadline > now)
        snprintf(left, sizeof left, ", %.0f s left", c->deadline - now);
    fprintf(stderr, "%s%s: %s executions, %s/s, %u finding%s%s%s", terminal ? "\r\033[K" : "nmrcheck: ", c->phase,
            cli_count(c->executions + executions), cli_count(phase > 0 ? (uint64_t)((double)executions / phase) : 0),
            c->findings->count, c->findings->count == 1 ? "" : "s", left, terminal ? "" : "\n");
    c->line_open = terminal;
}

/* ---- callbacks of explore.h --------------------------------------------------------------------- */

/* What was explored of one script, in all turns; and where dpor stands when sampling has its turn. */
struct turn {
    struct explore_result result;
    struct dpor_statistics statistics;
    char *numbers;                          /* for explore_options.saved; NULL: not begun, or in a file */
    size_t size;
};

struct part { struct campaign *campaign; struct turn *turn; double until; struct saved saved; };

static bool on_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    struct part *part = context;
    struct campaign *c = part->campaign;
    if (o->verdict == VERDICT_FINDING) {
        if (findings_note(c->findings, o, s))
            campaign_progress_clear(c);
        c->found_now = true;
    } else if (o->verdict >= VERDICT_STEPS) {
        findings_note_limit(c->findings, o, s);
    }
    return !cli_interrupted && !c->findings->failed;
}

static bool on_progress(void *context, uint64_t executions)
{
    struct part *part = context;
    progress(part->campaign, executions);
    return !cli_interrupted && (part->until <= 0 || cli_now() < part->until);
}

static void on_rest(void *context, const struct explore_result *so_far, bool more)
{
    struct part *part = context;
    bool last = !more || so_far->end != EXPLORE_COMPLETE;
    if (part->campaign->save && saved_write(&part->saved, so_far, last) != OUTPUT_OK)
        part->campaign->findings->failed = true;
    if (part->campaign->turns == NULL || !last)
        return;
    free(part->turn->numbers);
    FILE *out = open_memstream(&part->turn->numbers, &part->turn->size);
    explore_save(out, so_far);
    fclose(out);
}

/* ---- sentences ---------------------------------------------------------------------------------- */

static uint64_t limited(const struct explore_result *r)
{
    return r->verdicts[VERDICT_STEPS] + r->verdicts[VERDICT_THREADS] + r->verdicts[VERDICT_MEMORY];
}

__attribute__((format(printf, 2, 3)))
static void say(struct summary_phase *p, const char *format, ...)
{
    va_list arguments;
    size_t length = strlen(p->result);
    va_start(arguments, format);
    vsnprintf(p->result + length, sizeof p->result - length, format, arguments);
    va_end(arguments);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static const char *why_stopped(enum explore_end end)
{
    switch (end) {
    case EXPLORE_BUDGET: return "stopped by the limit on executions";
    case EXPLORE_CLIPPED: return "some executions were too long to follow all that they lead to";
    case EXPLORE_STOPPED: return cli_interrupted ? "interrupted" : "stopped when the time was up";
    case EXPLORE_FINDING: return "stopped at a finding";
    case EXPLORE_UNREADABLE: return "what was saved cannot be read";
    case EXPLORE_COMPLETE: break;
    }
    return "complete";
}

/* A phase that goes on keeps its place; what is said of it is said anew. */
static struct summary_phase *begin_phase(struct campaign *c, const char *name)
{
    struct summary_phase *p = NULL;
    for (unsigned i = 0; i < c->summary->phase_count; i++)
        if (strcmp(c->summary->phases[i].name, name) == 0)
            p = &c->summary->phases[i];
    if (p == NULL)
        p = summary_add_phase(c->summary, name);
    p->result[0] = '\0';
    c->phase = p->name;
    c->phase_started = cli_now();
    c->phase_executions = 0;
    return p;
}

/* What all phases say in the same words.  `parts`: each counted its event hashes for itself; `earlier`: some of them in
 * another process. */
static void say_numbers(struct summary_phase *p, const struct explore_result *r, bool parts, bool earlier)
{
    static const char *const words[CHOICE_KINDS] = {
        [CHOICE_FAULT] = "a failed call", [CHOICE_PEER] = "an odd counterpart",
        [CHOICE_SYSTEM] = "another choice of NMR",
    };
    say(p, "%s execution%s, longest %u scheduling points, %s%s distinct event hash%s, %s%s simulated states",
        cli_count(r->executions), plural(r->executions), r->longest, parts ? "at most " : "",
        cli_count(r->distinct), r->distinct == 1 ? "" : "es", cli_count(states.count),
        states.count == STATE_SLOTS / 2 || earlier ? " or more" : "");
    for (unsigned i = 0; i < CHOICE_KINDS; i++)
        if (words[i] != NULL && r->deviated[i] > 0)
            say(p, ", %s with %s", cli_count(r->deviated[i]), words[i]);
    if (r->verdicts[VERDICT_FINDING] > 0)
        say(p, ", %s with a finding", cli_count(r->verdicts[VERDICT_FINDING]));
    if (r->verdicts[VERDICT_OUTSIDE] > 0)
        say(p, ", %s left the contract and were not judged further",
            cli_count(r->verdicts[VERDICT_OUTSIDE]));
    if (limited(r) > 0)
        say(p, ", %s hit a limit and were not followed to their end (limit.scenario is the first)",
            cli_count(limited(r)));
}

static void finish_phase(struct campaign *c, struct summary_phase *p, const struct explore_result *r)
{
    c->executions += r->executions - p->executions;
    p->executions = r->executions;
    p->detours = r->detours;
    p->findings = r->verdicts[VERDICT_FINDING];
    p->distinct = r->distinct;
    p->faults = r->deviated[CHOICE_FAULT];
    p->longest = r->longest;
    p->seconds += cli_now() - c->phase_started;
    campaign_progress_clear(c);
}

/* ---- depth first ---------------------------------------------------------------------------------- */

static void add_result(struct explore_result *sum, const struct explore_result *r)
{
    sum->executions += r->executions;
    sum->distinct += r->distinct;
    sum->resumed += r->resumed;
    sum->detours += r->detours;
    sum->longest = r->longest > sum->longest ? r->longest : sum->longest;
    for (unsigned i = 0; i < VERDICTS; i++)
        sum->verdicts[i] += r->verdicts[i];
    for (unsigned i = 0; i < CHOICE_KINDS; i++)
        sum->deviated[i] += r->deviated[i];
    if (sum->end == EXPLORE_COMPLETE || r->end == EXPLORE_FINDING)
        sum->end = r->end;
    if (r->preemptions_done < sum->preemptions_done)
        sum->preemptions_done = r->preemptions_done;
}

/* What there is to cover. */
static void write_scope(struct summary_phase *p, unsigned scripts, const struct bounds *b)
{
    int length = snprintf(p->scope, sizeof p->scope, "%s of %u setup%s with <= ", b->dpor ? "traces" : "executions",
                          scripts, plural(scripts));
    if (!b->dpor)
        length += snprintf(p->scope + length, sizeof p->scope - (size_t)length, "%u preemption%s and <= ",
                           b->preemptions, plural(b->preemptions));
    snprintf(p->scope + length, sizeof p->scope - (size_t)length, "%u fault, peer or NMR deviation%s%s, profile %s%s%s",
             b->deviations, plural(b->deviations), b->dpor ? ", preemptions without bound" : "",
             cli_profile != NULL ? cli_profile : "windows", cli_points != NULL ? ", scheduling points " : "",
             cli_points != NULL ? cli_points : "");
}

/* Exactly what was covered, or what stopped it and how much is left. */
static void say_dfs(const struct campaign *c, struct summary_phase *p, const struct explore_result *r,
                    unsigned scripts, unsigned done, const struct bounds *b)
{
    bool earlier = c->save && r->resumed > 0;
    /* An execution that hit a limit was cut off, so what lies behind it is not covered. */
    bool complete = done == scripts && limited(r) == 0;
    write_scope(p, scripts, b);
    if (complete)
        say(p, "complete: all %s%s%s", b->dpor ? cli_count(r->executions) : "", b->dpor ? " " : "", p->scope);
    else
        say(p, "not complete: %s, with %u of %u setup%s done; wanted: all %s",
            done == scripts ? "some executions hit a limit" : why_stopped(r->end), done, scripts, plural(scripts),
            p->scope);
    if (b->shard.count > 1)
        say(p, ", shard %u of %u", b->shard.index + 1, b->shard.count);
    if (c->dpor.left > 0)
        say(p, "; about %s executions are left in the other%s (an estimate; early ones are too small)",
            cli_count((uint64_t)c->dpor.left), plural(scripts - done));
    say(p, ": ");
    if (earlier)
        say(p, "%s executions in earlier runs, ", cli_count(r->resumed));
    if (c->dpor.blocked > 0)
        say(p, "%s executions more than there are traces, ", cli_count(c->dpor.blocked));
    say_numbers(p, r, r->resumed > 0, earlier);
    if (r->detours > 0)
        say(p, "; besides %s that led to these", cli_count(r->detours));
}

static bool open_saved(struct saved *saved, const struct campaign *c, const struct program *p, const char *folder,
                       const struct scenario *script, const char *name, const struct bounds *b)
{
    char bounds[100];
    snprintf(bounds, sizeof bounds, "dpor %u shard %u/%u points %.16s", b->deviations, b->shard.index, b->shard.count,
             cli_points != NULL ? cli_points : "");
    return saved_open(saved, folder, name, identity_of_search(p, script, bounds), c->fresh) == OUTPUT_OK;
}

/* Script number i, and its name for files. */
static const struct scenario *script_number(const struct scenario *script, unsigned i)
{
    static struct scenario own;
    if (script == NULL)
        setup_script(&setups[i], &own);
    return script == NULL ? &own : script;
}

static const char *script_name(const struct campaign *c, const struct scenario *script, unsigned i)
{
    return script == NULL ? setups[i].name : c->script_name;
}

bool campaign_can_resume(const struct campaign *c, const struct program *p, const char *folder,
                         const struct scenario *script, const struct bounds *b)
{
    static struct saved saved;
    for (unsigned i = 0; i < (script != NULL ? 1 : setup_count()); i++) {
        if (!open_saved(&saved, c, p, folder, script_number(script, i), script_name(c, script, i), b))
            return false;
        saved_close(&saved);
    }
    return true;
}

static void dpor_one(struct campaign *c, const struct scenario *script, const char *name, const struct bounds *b,
                     struct part *part, struct explore_options *options)
{
    struct turn *turn = part->turn;
    if (c->save) {
        if (!open_saved(&part->saved, c, c->findings->program, c->findings->folder, script, name, b)) {
            c->findings->failed = true;
            turn->result.end = EXPLORE_UNREADABLE;
            return;
        }
        options->saved = part->saved.numbers;
    } else if (turn->numbers != NULL) {
        options->saved = fmemopen(turn->numbers, turn->size, "r");
    }
    options->on_rest = c->save || c->turns != NULL ? on_rest : NULL;
    turn->result = explore_dpor(c->findings->program, script, options, &turn->statistics);
    if (turn->result.end == EXPLORE_UNREADABLE) {
        cli_complain(part->saved.path, 0, "the numbers make no sense; --fresh starts anew");
        c->findings->failed = true;
    }
    if (c->save)
        saved_close(&part->saved);
    else if (options->saved != NULL)
        fclose(options->saved);
}

/* Go on with one script. */
static void take_turn(struct campaign *c, const struct scenario *script, const char *name, const struct bounds *b,
                      double until, struct turn *turn)
{
    static struct part part;
    struct explore_options options = {
        .preemptions_max = b->preemptions, .deviations_max = b->deviations, .executions_max = b->executions,
        .keep_going = c->keep_going, .shard = b->shard, .context = &part, .on_outcome = on_outcome,
        .on_progress = on_progress,
    };
    part = (struct part){.campaign = c, .turn = turn, .until = until};
    if (b->dpor)
        dpor_one(c, script, name, b, &part, &options);
    else
        turn->result = explore_dfs(c->findings->program, script, &options);
    c->phase_executions += turn->result.executions - turn->result.resumed;
}

/* Is there nothing left to go on with? */
static bool is_through(const struct turn *turn)
{
    enum explore_end end = turn->result.end;
    return end == EXPLORE_COMPLETE || end == EXPLORE_CLIPPED;
}

static const struct turn not_begun = {.result = {.end = EXPLORE_STOPPED, .preemptions_done = -1}};

bool campaign_dfs(struct campaign *c, const struct scenario *script, const char *name, const struct bounds *b,
                  double until)
{
    struct explore_result sum = {.end = EXPLORE_COMPLETE, .preemptions_done = (int)b->preemptions};
    unsigned scripts = script != NULL ? 1 : setup_count(), done = 0, through = 0, over_budget = 0;
    struct summary_phase *p = begin_phase(c, name);
    c->dpor = (struct dpor_statistics){0};
    for (unsigned i = 0; i < scripts; i++) {
        struct turn only = not_begun, *turn = c->turns != NULL ? &c->turns[i] : &only;
        /* A setup gets its share of the time that is left, so one large setup does not starve the others. */
        double now = cli_now(), end = until > 0 ? now + (until - now) / (scripts - i) : 0;
        if (!campaign_over(c) && (c->turns == NULL || !is_through(turn)))
            take_turn(c, script_number(script, i), script_name(c, script, i), b, end, turn);
        const struct explore_result *r = &turn->result;
        done += r->end == EXPLORE_COMPLETE && (b->dpor || r->preemptions_done >= (int)b->preemptions);
        through += is_through(turn);
        over_budget += r->end == EXPLORE_BUDGET;
        c->dpor.blocked += turn->statistics.blocked;
        c->dpor.left += turn->statistics.left;
        add_result(&sum, r);
    }
    /* Nothing is left to go on with: all is explored, or a finding was asked for, and found. */
    for (unsigned i = 0; c->save && (through == scripts || sum.end == EXPLORE_FINDING) && i < scripts; i++)
        saved_remove(c->findings->folder, script_name(c, script, i));
    say_dfs(c, p, &sum, scripts, done, b);
    finish_phase(c, p, &sum);
    p->complete = done == scripts && limited(&sum) == 0;
    return through + over_budget == scripts;
}

/* ---- sampling --------------------------------------------------------------------------------------- */

static void say_sample(struct summary_phase *p, const struct explore_samples *samples, const struct explore_result *r,
                       bool parts, const struct sampler_pct *pct)
{
    say(p, "seed %llu, from number %s%s: ", (unsigned long long)samples->seed, cli_count(samples->first),
        r->end == EXPLORE_FINDING ? ", stopped at a finding" : cli_interrupted ? ", interrupted" : "");
    if (pct->threads > 0)
        say(p, "pct with depth %u shows a bug of that depth with a probability of at least 1/(n*k^%u) = %.1e in an "
            "execution (n = %u threads, k = %u steps; %s were longer), ", samples->depth, samples->depth - 1,
            pct->bound, pct->threads, pct->length, cli_count(pct->longer));
    say_numbers(p, r, parts, false);
}

uint64_t campaign_sample(struct campaign *c, const struct scenario *script, const struct explore_samples *samples,
                         double until)
{
    struct part part = {.campaign = c, .until = until};
    struct explore_options options = {
        .keep_going = c->keep_going, .context = &part, .on_outcome = on_outcome, .on_progress = on_progress,
    };
    struct explore_result *sum = &c->sampled;
    struct explore_samples rest = *samples;
    struct summary_phase *p = begin_phase(c, sampling_name(samples->sampling));
    struct sampler_pct pct;
    bool parts = sum->executions > 0;
    rest.first += sum->executions;
    rest.count -= sum->executions;
    struct explore_result r = explore_sample(c->findings->program, script, &rest, &options, &pct);
    sum->end = EXPLORE_COMPLETE;
    add_result(sum, &r);
    say_sample(p, samples, sum, parts, &pct);
    finish_phase(c, p, sum);
    return samples->first + sum->executions;
}

/* ---- all of them ---------------------------------------------------------------------------------------- */

/*
 * First each fault and each oddity alone, which takes no time.  Then partial order reduction and sampling in turn, for
 * twice as long in each round, until the time is up: who of them finds a bug first is not known before, and this way
 * none takes more than four times as long as if it had been.  Each goes on from where its last turn ended; who is
 * through leaves the time to the other.
 */
void campaign_auto(struct campaign *c, const struct scenario *script, const struct bounds *b,
                   const struct explore_samples *samples)
{
    struct bounds alone = {.deviations = 1, .executions = b->executions};
    struct bounds reduced = *b;
    unsigned scripts = script != NULL ? 1 : setup_count();
    bool through = false, drawn = false;
    reduced.dpor = true;
    campaign_dfs(c, script, "one by one", &alone, c->deadline);
    c->turns = calloc(scripts, sizeof *c->turns);
    CHECK(c->turns != NULL);
    for (unsigned i = 0; i < scripts; i++)
        c->turns[i] = not_begun;
    for (double slice = AUTO_SLICE; !campaign_over(c) && !(through && drawn); slice *= 2) {
        if (!through)
            through = campaign_dfs(c, script, "dpor", &reduced, drawn ? c->deadline
                                                                     : sooner(cli_now() + slice, c->deadline));
        if (!drawn && !campaign_over(c))
            drawn = campaign_sample(c, script, samples, through ? c->deadline
                                                               : sooner(cli_now() + slice, c->deadline)) ==
                    samples->first + samples->count;
    }
    for (unsigned i = 0; i < scripts; i++)
        free(c->turns[i].numbers);
    free(c->turns);
    c->turns = NULL;
}

/* ---- the end ------------------------------------------------------------------------------------------ */

const char *cli_verdict(unsigned findings, uint64_t executions, const char *folder)
{
    static char text[OUTPUT_PATH_MAX + 160];
    const char *interrupted = cli_interrupted ? " (interrupted)" : "";
    if (findings == 0)
        snprintf(text, sizeof text, "no finding in %s execution%s%s", cli_count(executions), plural(executions),
                 interrupted);
    else
        snprintf(text, sizeof text, "%u finding%s in %s execution%s%s, see %s", findings, plural(findings),
                 cli_count(executions), plural(executions), interrupted, folder);
    return text;
}

/* A rule that most executions break ends each of them, so that what they would break later is never seen. */
static void print_hiding_rule(const struct campaign *c)
{
    const struct summary *s = c->summary;
    for (unsigned i = 0; i < s->finding_count; i++) {
        const char *rule = s->findings[i].rule;
        uint64_t seen = 0;
        for (unsigned k = 0; k < s->finding_count; k++)
            seen += strcmp(s->findings[k].rule, rule) == 0 ? s->findings[k].seen : 0;
        if (seen * 2 <= c->executions)
            continue;
        printf("\n%s ends most executions: --mute %s shows what lies behind it\n", rule, rule);
        return;
    }
}

int campaign_finish(struct campaign *c)
{
    struct output_error error;
    campaign_progress_clear(c);
    findings_settle(c->findings);
    c->summary->verdict = cli_verdict(c->findings->count, c->executions, c->findings->folder);
    findings_summarise(c->findings, c->summary);
    if (!c->findings->failed && summary_write(c->summary, c->findings->folder, &error) != OUTPUT_OK) {
        cli_complain_output(&error);
        c->findings->failed = true;
    }
    if (cli.json) {
        cli_print_json(summary_json(c->summary));
    } else {
        findings_print(c->findings, 1, stdout);
        summary_print(c->summary, 1, stdout);
        print_hiding_rule(c);
        if (c->findings->count == 0)
            cli_print_idle(c->findings->module);
    }
    if (c->findings->failed)
        return EXIT_TROUBLE;
    return c->findings->count > 0 ? EXIT_FOUND : EXIT_CLEAN;
}
