/*
 * nmrcheck_words.c - the model's events and rules in words, for the reports.
 *
 * Most kinds of event are a row of a table.  In a row's text, % and a letter stand for:
 *
 *   %o object   %B "binding 3"   %R "registration 1"   %v value   %x value as hex   %s status name
 *   %L lock kind (value)   %T pool tag (b)   %M misuse (value)   %P place (low half of value)   %A access (value)
 *   %t thread (object)   %F registration field (high half of value)   %w low half of value
 */
#include "cli.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "events.h"
#include "rules/rules.h"
#include "world.h"

/* ---- names ------------------------------------------------------------------------------------ */

static const char *const place_names[] = {
    [PLACE_NULL] = "NULL", [PLACE_POOL] = "nonpaged pool", [PLACE_POOL_PAGED] = "paged pool",
    [PLACE_POOL_FREED] = "freed pool", [PLACE_STACK] = "a stack", [PLACE_IMAGE] = "the module's data",
    [PLACE_IMAGE_CONST] = "the module's constant data", [PLACE_PEER] = "a counterpart's memory",
    [PLACE_OTHER] = "unknown memory",
};

static const char *const registration_states[] = {
    [REGISTRATION_NONE] = "not registered", [REGISTRATION_REGISTERING] = "being registered",
    [REGISTRATION_REGISTERED] = "registered", [REGISTRATION_DEREGISTERING] = "being deregistered",
    [REGISTRATION_DRAINED] = "deregistered", [REGISTRATION_CLOSED] = "closed",
};

static const char *const binding_states[] = {
    [BINDING_NONE] = "nothing", [BINDING_OFFERED] = "offered", [BINDING_PROPOSING] = "proposed to the provider",
    [BINDING_ACCEPTED] = "accepted by the provider", [BINDING_ATTACHED] = "attached",
    [BINDING_DETACHING] = "detaching", [BINDING_CLEANUP] = "being cleaned up", [BINDING_GONE] = "gone",
};

static const char *const rundown_words[] = {
    [RUNDOWN_INIT] = "initialises", [RUNDOWN_ACQUIRE] = "acquires", [RUNDOWN_REFUSED] = "is refused",
    [RUNDOWN_RELEASE] = "releases", [RUNDOWN_WAIT] = "waits for the release of", [RUNDOWN_DONE] = "completed",
    [RUNDOWN_REINIT] = "reinitialises",
};

static const char *const access_words[] = {
    [ACCESS_FREED] = "freed memory", [ACCESS_OUT_OF_BOUNDS] = "memory outside a block",
    [ACCESS_UNINITIALISED] = "memory that was never written", [ACCESS_PAGED] = "paged memory at DISPATCH_LEVEL",
    [ACCESS_NULL] = "memory near NULL", [ACCESS_WILD] = "an address where nothing is",
    [ACCESS_READ_ONLY] = "read-only memory of a counterpart", [ACCESS_PEER_GONE] = "memory a counterpart has given up",
    [ACCESS_PEER_PAST_END] = "memory past the end of a counterpart's structure",
    [ACCESS_HANDLE] = "an NMR handle as if it were a pointer", [ACCESS_STACK_OVERFLOW] = "memory below its stack",
    [ACCESS_STACK_DEAD] = "the stack of a thread that has ended", [ACCESS_SANITIZER] = "memory it must not",
};

static const char *const field_names[] = {
    [FIELD_CHARACTERISTICS] = "characteristics", [FIELD_VERSION] = "Version", [FIELD_LENGTH] = "Length",
    [FIELD_ATTACH] = "attach callback", [FIELD_DETACH] = "detach callback", [FIELD_CLEANUP] = "cleanup callback",
    [FIELD_INSTANCE_VERSION] = "instance Version", [FIELD_INSTANCE_SIZE] = "instance Size",
    [FIELD_NUMBER] = "Number", [FIELD_NPI_ID] = "NpiId", [FIELD_MODULE_ID] = "ModuleId",
    [FIELD_MODULE_LENGTH] = "ModuleId Length", [FIELD_MODULE_TYPE] = "ModuleId Type",
    [FIELD_CONTEXT] = "registration context", [FIELD_DUPLICATE] = "registered already",
};

static const char *const handle_words[] = {
    [HANDLE_NULL] = "NULL", [HANDLE_GARBAGE] = "not a handle", [HANDLE_WRONG_KIND] = "a handle of another kind",
    [HANDLE_WRONG_SIDE] = "the other side's handle", [HANDLE_DEAD] = "a handle that is no longer valid",
    [HANDLE_NOT_DEREGISTERED] = "the handle of a registration that was not deregistered",
    [HANDLE_TWICE] = "a handle that was used up before",
};

#define NAME(table, number) \
    ((number) >= 0 && (uint64_t)(number) < sizeof(table) / sizeof *(table) && (table)[number] != NULL \
        ? (table)[number] : "?")

static const struct { uint32_t code; const char *name; } statuses[] = {
    {0x00000000, "STATUS_SUCCESS"}, {0x00000102, "STATUS_TIMEOUT"}, {0x00000103, "STATUS_PENDING"},
    {0xC0000001, "STATUS_UNSUCCESSFUL"}, {0xC0000002, "STATUS_NOT_IMPLEMENTED"},
    {0xC0000008, "STATUS_INVALID_HANDLE"}, {0xC000000D, "STATUS_INVALID_PARAMETER"},
    {0xC0000010, "STATUS_INVALID_DEVICE_REQUEST"}, {0xC0000017, "STATUS_NO_MEMORY"},
    {0xC0000022, "STATUS_ACCESS_DENIED"}, {0xC0000023, "STATUS_BUFFER_TOO_SMALL"},
    {0xC0000056, "STATUS_DELETE_PENDING"}, {0xC000009A, "STATUS_INSUFFICIENT_RESOURCES"},
    {0xC00000A3, "STATUS_DEVICE_NOT_READY"}, {0xC00000BB, "STATUS_NOT_SUPPORTED"},
    {0xC0000120, "STATUS_CANCELLED"}, {0xC0000184, "STATUS_INVALID_DEVICE_STATE"},
    {0xC00000E5, "STATUS_INTERNAL_ERROR"}, {0xC0000225, "STATUS_NOT_FOUND"}, {0xC00002B9, "STATUS_NOINTERFACE"},
    {0x80000011, "STATUS_DEVICE_BUSY"}, {0xC0000035, "STATUS_OBJECT_NAME_COLLISION"},
    {0xC0000059, "STATUS_REVISION_MISMATCH"}, {0xC0000004, "STATUS_INFO_LENGTH_MISMATCH"},
};

static void status_text(int64_t value, char *text, size_t capacity)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].code == (uint32_t)value) {
            snprintf(text, capacity, "%s", statuses[i].name);
            return;
        }
    snprintf(text, capacity, "status 0x%08x", (unsigned)(uint32_t)value);
}

/* Tags are written backwards in memory; a driver author reads them in source order, 'tpcb'. */
static void tag_text(uint64_t tag, char text[8])
{
    unsigned n = 0;
    text[n++] = '\'';
    for (int shift = 24; shift >= 0; shift -= 8) {
        int c = (int)(tag >> shift & 0xFF);
        text[n++] = (char)(isprint(c) && c < 0x7F ? c : '.');
    }
    text[n++] = '\'';
    text[n] = '\0';
}

static void numbered_text(const char *what, uint32_t number, char *text, size_t capacity)
{
    if (number == NONE)
        snprintf(text, capacity, "no %s", what);
    else
        snprintf(text, capacity, "%s %u", what, (unsigned)number);
}

/* ---- rows ------------------------------------------------------------------------------------- */

static const struct row { enum story_weight weight; const char *text; } rows[EVENT_KINDS] = {
    [EV_THREAD_START] = {STORY_DETAIL, "thread %t starts"},
    [EV_THREAD_END] = {STORY_DETAIL, "thread %t ends"},
    [EV_REGISTRATION_FIELD] = {STORY_DETAIL, "%R: %F is %w"},
    [EV_REGISTRATION_PLACE] = {STORY_DETAIL, "%R: %F points to %P"},
    [EV_REGISTRATION_CHANGED] = {STORY_PLAIN, "%R: the registered structures were changed"},
    [EV_BINDING_CONTEXT] = {STORY_DETAIL, "%B: the provider's context points to %P"},
    [EV_BINDING_DISPATCH] = {STORY_DETAIL, "%B: the provider's dispatch table points to %P"},
    [EV_BINDING_DISPATCH_CHANGED] = {STORY_PLAIN, "%B: the provider's dispatch table changed while attached"},
    [EV_LOCK_ACQUIRE] = {STORY_PLAIN, "acquires %L %o"},
    [EV_LOCK_RELEASE] = {STORY_PLAIN, "releases %L %o"},
    [EV_SYNC_INIT] = {STORY_DETAIL, "initialises %L %o"},
    [EV_BLOCK] = {STORY_PLAIN, "has to wait for %L %o"},
    [EV_EVENT_SET] = {STORY_PLAIN, "sets event %o"},
    [EV_EVENT_RESET] = {STORY_PLAIN, "resets event %o"},
    [EV_WAIT] = {STORY_PLAIN, "the wait for object %o ends with %s"},
    [EV_IRQL] = {STORY_DETAIL, "IRQL changes from %o to %v"},
    [EV_REGION] = {STORY_DETAIL, "critical region depth is %v"},
    [EV_LEAK] = {STORY_PLAIN, "block %o (%v bytes, tag %T) was never freed"},
    [EV_FREE] = {STORY_PLAIN, "frees block %o (%v bytes, tag %T)"},
    [EV_WORK_QUEUED] = {STORY_PLAIN, "queues work item %o"},
    [EV_INTERLOCKED] = {STORY_DETAIL, "interlocked operation"},
    [EV_MISUSE] = {STORY_PLAIN, "misuse: %M"},
    [EV_BUGCHECK] = {STORY_PLAIN, "bug check %x"},
    [EV_IMAGE_GONE] = {STORY_PLAIN, "the module is unloaded: its code and data are gone"},
    [EV_KEPT_OUT] = {STORY_PLAIN, "%K cannot take %L %o any more"},
    [EV_DEADLOCK] = {STORY_PLAIN, "no thread can go on"},
    [EV_STEP_LIMIT] = {STORY_PLAIN, "step limit reached while %t was running"},
};

static size_t expand_letter(char letter, const struct event *e, char *text, size_t capacity)
{
    int64_t low = (int64_t)(e->value & 0xFFFFFFFF), high = e->value >> 32;
    char small[48] = "";
    switch (letter) {
    case 'o': snprintf(small, sizeof small, "%u", (unsigned)e->object); break;
    case 'B': numbered_text("binding", e->object, small, sizeof small); break;
    case 'R': numbered_text("registration", e->object, small, sizeof small); break;
    case 'v': snprintf(small, sizeof small, "%lld", (long long)e->value); break;
    case 'w': snprintf(small, sizeof small, "%lld", (long long)(int32_t)low); break;
    case 'x': snprintf(small, sizeof small, "0x%llx", (unsigned long long)e->value); break;
    case 's': status_text(e->value, small, sizeof small); break;
    case 'T': tag_text(e->b, small); break;
    case 't': thread_name(&model_words, e->object, small); break;
    case 'K': thread_name(&model_words, (unsigned)e->b, small); break;
    case 'L': return (size_t)snprintf(text, capacity, "%s", NAME(lock_names, e->value));
    case 'P': return (size_t)snprintf(text, capacity, "%s", NAME(place_names, low));
    case 'F': return (size_t)snprintf(text, capacity, "%s", NAME(field_names, high));
    case 'M':
        return (size_t)snprintf(text, capacity, "%s", e->value >= 0 && e->value < MISUSES
                                ? misuse_names[e->value] : "?");
    default: break;
    }
    return (size_t)snprintf(text, capacity, "%s", small);
}

static void expand(const char *format, const struct event *e, char *text, size_t capacity)
{
    size_t length = 0;
    for (; *format != '\0' && length + 1 < capacity; format++) {
        if (*format != '%') {
            text[length++] = *format;
            continue;
        }
        length += expand_letter(*++format, e, text + length, capacity - length);
    }
    text[length < capacity ? length : capacity - 1] = '\0';
}

/* ---- frames ----------------------------------------------------------------------------------- */

/* What counterparts are: clients of a provider, providers of a client. */
static const char *counterpart_word(void)
{
    unsigned count;
    const struct face *faces = world_faces(&count);
    bool sides[2] = {false, false};
    for (unsigned i = 0; i < count; i++)
        sides[faces[i].side] = true;
    if (sides[SIDE_CLIENT] == sides[SIDE_PROVIDER])
        return "counterpart";
    return sides[SIDE_CLIENT] ? "provider" : "client";
}

/* What a counterpart is toward which the module has that side. */
static const char *opposite(enum side side)
{
    return side == SIDE_CLIENT ? "provider" : "client";
}

/* A function of the table that the module has (or uses: `own` is false) where it takes that side. */
static void table_function(int64_t number, enum side side, bool own, char *text, size_t capacity)
{
    unsigned count;
    const struct face *faces = world_faces(&count);
    for (unsigned i = 0; i < count; i++) {
        const struct npi_side *s = npi_side_of(faces[i].npi, own ? side : other_side(side));
        if (faces[i].side == side && (uint64_t)number < s->function_count) {
            snprintf(text, capacity, "%s", s->functions[number].name);
            return;
        }
    }
    snprintf(text, capacity, "function %lld", (long long)number);
}

static void function_name(const struct event *e, enum frame frame, char *text, size_t capacity)
{
    const char *side = e->value == SIDE_PROVIDER ? "Provider" : "Client";
    switch (frame) {
    case FRAME_NMR_REGISTER: snprintf(text, capacity, "NmrRegister%s", side); return;
    case FRAME_NMR_DEREGISTER: snprintf(text, capacity, "NmrDeregister%s", side); return;
    case FRAME_NMR_WAIT: snprintf(text, capacity, "NmrWaitFor%sDeregisterComplete", side); return;
    case FRAME_NMR_CLIENT_ATTACH: snprintf(text, capacity, "NmrClientAttachProvider"); return;
    case FRAME_NMR_COMPLETE:
        snprintf(text, capacity, "Nmr%sDetach%sComplete", side, e->value == SIDE_PROVIDER ? "Client" : "Provider");
        return;
    case FRAME_CALL: table_function(e->value, (enum side)e->b, true, text, capacity); return;
    case FRAME_CALLBACK:
        table_function(e->value, CALLBACK_SIDE(e->b), false, text, capacity);
        snprintf(text + strlen(text), capacity - strlen(text), " of the %s", opposite(CALLBACK_SIDE(e->b)));
        return;
    case FRAME_ENTRY: snprintf(text, capacity, "%s", world_entry(e->object)->name); return;
    case FRAME_WORK_ITEM: snprintf(text, capacity, "the routine of work item %u", (unsigned)e->object); return;
    case FRAME_DRIVER_ENTRY: snprintf(text, capacity, "DriverEntry"); return;
    case FRAME_DRIVER_UNLOAD: snprintf(text, capacity, "DriverUnload"); return;
    case FRAME_CLIENT_ATTACH: snprintf(text, capacity, "ClientAttachProvider"); return;
    case FRAME_PROVIDER_ATTACH: snprintf(text, capacity, "ProviderAttachClient"); return;
    case FRAME_CLIENT_DETACH: snprintf(text, capacity, "ClientDetachProvider"); return;
    case FRAME_PROVIDER_DETACH: snprintf(text, capacity, "ProviderDetachClient"); return;
    case FRAME_CLIENT_CLEANUP: snprintf(text, capacity, "ClientCleanupBindingContext"); return;
    case FRAME_PROVIDER_CLEANUP: snprintf(text, capacity, "ProviderCleanupBindingContext"); return;
    case FRAME_NONE:
    case FRAMES: break;
    }
    snprintf(text, capacity, "?");
}

static const char *caller_name(const struct event *e, enum frame frame)
{
    static char peer[24];
    snprintf(peer, sizeof peer, "a %s", frame == FRAME_CALL ? opposite((enum side)e->b) : counterpart_word());
    if (frame == FRAME_DRIVER_ENTRY || frame == FRAME_DRIVER_UNLOAD || frame == FRAME_WORK_ITEM ||
        frame == FRAME_ENTRY)
        return "the system";
    if (frame == FRAME_CALL)
        return peer;
    if (frame == FRAME_CALLBACK)
        return "the module";
    if (frame >= FRAME_NMR_REGISTER)
        return e->b == 1 ? "the module" : peer;
    return "NMR";
}

static const struct { unsigned flag; const char *text; } oddities[] = {
    {ATTACH_NULL_CONTEXT_OUT, "ProviderBindingContext NULL"}, {ATTACH_NULL_DISPATCH_OUT, "ProviderDispatch NULL"},
    {ATTACH_MUST_REFUSE, "must be refused"}, {ATTACH_NO_CHARACTERISTICS, "no characteristics"},
    {ATTACH_SHORT, "short characteristics"}, {ATTACH_NO_DISPATCH, "no dispatch table"},
    {ATTACH_NO_MODULE_ID, "ModuleId NULL"}, {ATTACH_IF_LUID, "MIT_IF_LUID"}, {ATTACH_ODD_INSTANCE, "odd instance"},
};

static void append(struct story_line *line, const char *separator, const char *text)
{
    size_t length = strlen(line->text);
    snprintf(line->text + length, sizeof line->text - length, "%s%s", separator, text);
}

static void describe_enter(const struct event *e, enum frame frame, struct story_line *line)
{
    char name[64], about[48];
    function_name(e, frame, name, sizeof name);
    snprintf(line->text, sizeof line->text, "%s calls %s", caller_name(e, frame), name);
    line->nest = 1;
    bool registration = frame >= FRAME_NMR_REGISTER && frame <= FRAME_NMR_WAIT;
    if (frame > FRAME_WORK_ITEM && frame != FRAME_ENTRY && !registration) {
        numbered_text("binding", e->object, about, sizeof about);
        append(line, ", ", about);
    } else if (registration && frame != FRAME_NMR_REGISTER) {
        numbered_text("registration", e->object, about, sizeof about);
        append(line, ", ", about);
    }
    bool attach = frame == FRAME_PROVIDER_ATTACH || frame == FRAME_CLIENT_ATTACH;
    for (size_t i = 0; attach && i < sizeof oddities / sizeof *oddities; i++)
        if ((e->value & oddities[i].flag) != 0)
            append(line, ", ", oddities[i].text);
    if (frame == FRAME_CALLBACK) {
        snprintf(about, sizeof about, " of c%u", CALLBACK_PEER(e->b));
        append(line, ", through the table", about);
    }
    if (frame == FRAME_CALL && e->c == 1)
        append(line, ", ", "before its attach has returned");
}

/* The event that entered the frame which event `number` leaves; NULL when it was not kept. */
static const struct event *entering(const struct event *log, unsigned number)
{
    unsigned depth = 1;
    for (unsigned i = number; i > 0; i--) {
        const struct event *e = &log[i - 1];
        if (e->thread != log[number].thread || e->kind < EV_ENTER || e->kind >= EV_LEAVE + FRAMES)
            continue;
        depth = e->kind >= EV_LEAVE ? depth + 1 : depth - 1;
        if (depth == 0)
            return e;
    }
    return NULL;
}

static void describe_leave(const struct event *log, unsigned number, enum frame frame, struct story_line *line)
{
    const struct event *e = &log[number], *entered = entering(log, number);
    char name[64], status[48];
    function_name(entered != NULL ? entered : e, frame, name, sizeof name);
    snprintf(line->text, sizeof line->text, "%s returns", name);
    line->nest = -1;
    bool silent = frame == FRAME_DRIVER_UNLOAD || frame == FRAME_WORK_ITEM || frame == FRAME_CLIENT_CLEANUP ||
                  frame == FRAME_PROVIDER_CLEANUP || frame == FRAME_NMR_COMPLETE;
    if (silent)
        return;
    status_text(e->value, status, sizeof status);
    append(line, " ", status);
}

/* ---- the rest --------------------------------------------------------------------------------- */

static bool describe_nmr(const struct event *e, struct story_line *line)
{
    size_t room = sizeof line->text;
    switch (e->kind) {
    case EV_REGISTRATION_STATE:
        snprintf(line->text, room, "registration %u (%s%s) is %s", (unsigned)e->object,
                 e->b == 1 ? "the module" : counterpart_word(), "'s", NAME(registration_states, e->value));
        line->weight = e->value == REGISTRATION_REGISTERING ? STORY_DETAIL : STORY_PLAIN;
        return true;
    case EV_BINDING_OFFERED:
        snprintf(line->text, room, "binding %u: client registration %u meets provider registration %u",
                 (unsigned)e->object, (unsigned)(e->value >> 16 & 0xFFFF), (unsigned)(e->value & 0xFFFF));
        return true;
    case EV_BINDING_STATE:
        snprintf(line->text, room, "binding %u is %s", (unsigned)e->object, NAME(binding_states, e->value));
        line->weight = e->value < BINDING_ATTACHED ? STORY_DETAIL : STORY_PLAIN;
        return true;
    case EV_BAD_HANDLE:
        snprintf(line->text, room, "NMR was given %s", NAME(handle_words, e->value));
        return true;
    case EV_IDENTITY:
        snprintf(line->text, room, "binding %u was served by the %s registration", (unsigned)e->object,
                 e->value != 0 ? "right" : "wrong");
        line->weight = e->value != 0 ? STORY_DETAIL : STORY_PLAIN;
        return true;
    case EV_PENDING_CALLBACK:
        snprintf(line->text, room, "binding %u: a call of the module %s", (unsigned)e->object,
                 e->value != 0 ? "is pending" : "completes");
        return true;
    default:
        return false;
    }
}

static bool describe_kernel(const struct event *e, struct story_line *line)
{
    size_t room = sizeof line->text;
    char tag[8];
    tag_text(e->b, tag);
    switch (e->kind) {
    case EV_WAKE:
        snprintf(line->text, room, "goes on%s: %s %u", e->c == 1 ? " (timed out)" : "", NAME(lock_names, e->value),
                 (unsigned)e->object);
        return true;
    case EV_RUNDOWN:
        snprintf(line->text, room, "%s rundown protection %u, count %llu", NAME(rundown_words, e->value),
                 (unsigned)e->object, (unsigned long long)e->c);
        return true;
    case EV_ALLOC:
        snprintf(line->text, room, "allocates block %u: %lld bytes%s, tag %s", (unsigned)e->object,
                 (long long)e->value, (e->c & ALLOC_PAGED) != 0 ? " of paged pool" : "", tag);
        if ((e->c & ALLOC_INTERNAL) != 0)
            line->weight = STORY_DETAIL;
        return true;
    case EV_ALLOC_FAILED:
        snprintf(line->text, room, "allocation of %lld bytes fails%s, tag %s", (long long)e->value,
                 (e->c & ALLOC_INJECTED) != 0 ? " (low resources)" : "", tag);
        return true;
    case EV_IMAGE_LOADED:
        snprintf(line->text, room, "the module is loaded%s", e->value == 1 ? "" : "; it cannot be unloaded");
        return true;
    default:
        return false;
    }
}

/* An access of a race, by the bits of the event. */
static const char *access_name(uint64_t c, unsigned write_bit)
{
    return (c >> (write_bit + 2) & 1) != 0 ? "interlocked operation" : (c >> write_bit & 1) != 0 ? "write" : "read";
}

static bool describe_defect(const struct event *e, struct story_line *line)
{
    size_t room = sizeof line->text;
    char thread[8];
    switch (e->kind) {
    case EV_ACCESS:
        snprintf(line->text, room, "%s %s", e->b == 1 ? "writes" : "reads", NAME(access_words, e->value));
        if (e->value <= ACCESS_PAGED && e->object != NONE) {
            char block[64];
            snprintf(block, sizeof block, ": block %u, offset %lld", (unsigned)e->object, (long long)e->c);
            append(line, "", block);
        }
        return true;
    case EV_RACE:
        snprintf(line->text, room, "data race: this %s and an earlier %s by %s are not ordered",
                 access_name(e->c, 9), access_name(e->c, 8),
                 thread_name(&model_words, (unsigned)(e->c & 0xFF), thread));
        return true;
    case EV_ASSERT:
        snprintf(line->text, room, "assertion failed: %s", e->a != 0 ? (const char *)(uintptr_t)e->a : "?");
        return true;
    case EV_NOTE:
        snprintf(line->text, room, "%s", e->a != 0 ? (const char *)(uintptr_t)e->a : "note");
        return true;
    default:
        return false;
    }
}

static void describe(const struct event *log, unsigned kept, unsigned number, struct story_line *line)
{
    (void)kept;
    const struct event *e = &log[number];
    line->weight = STORY_PLAIN;
    line->nest = 0;
    if (e->kind >= EV_ENTER && e->kind < EV_LEAVE)
        describe_enter(e, (enum frame)(e->kind - EV_ENTER), line);
    else if (e->kind >= EV_LEAVE && e->kind < EV_LEAVE + FRAMES)
        describe_leave(log, number, (enum frame)(e->kind - EV_LEAVE), line);
    else if (describe_nmr(e, line) || describe_kernel(e, line) || describe_defect(e, line))
        return;
    else if (e->kind < EVENT_KINDS && rows[e->kind].text != NULL) {
        line->weight = rows[e->kind].weight;
        expand(rows[e->kind].text, e, line->text, sizeof line->text);
    } else {
        line->weight = STORY_DETAIL;
        snprintf(line->text, sizeof line->text, "%s %u", event_name(e->kind), (unsigned)e->object);
    }
}

static const char *level(unsigned number)
{
    static const char *const names[] = {"PASSIVE", "APC", "DISPATCH"};
    return number < 3 ? names[number] : "higher";
}

/* ---- rules and memory ------------------------------------------------------------------------- */

const char *rule_class_name(char class)
{
    switch (class) {
    case 'D': return "documented as a must";
    case 'S': return "documented as advice";
    case 'H': return "follows from the header";
    case 'K': return "general kernel rule";
    case 'W': return "how Windows behaves";
    case 'I': return "inferred from the documents";
    default: return "unclassified";
    }
}

unsigned rule_pages(const char *source, const char **pages, unsigned capacity)
{
    unsigned count = 0;
    while (*source != '\0' && count < capacity) {
        size_t length = strcspn(source, " ,;/");
        const char *page = length > 0 ? rule_source_page(source, (unsigned)length) : NULL;
        bool again = false;
        for (unsigned i = 0; i < count; i++)
            again = again || strcmp(pages[i], page != NULL ? page : "") == 0;
        if (page != NULL && !again)
            pages[count++] = page;
        source += length;
        source += strspn(source, " ,;/");
    }
    return count;
}

static bool rule(uint16_t number, struct report_rule *out)
{
    enum { PAGES = sizeof out->pages / sizeof *out->pages };
    if (number == RULE_NONE || number >= RULES)
        return false;
    const struct rule_info *info = &rule_table[number];
    *out = (struct report_rule){
        .name = info->name, .class_name = rule_class_name(info->class), .severity = rule_severity(number),
        .sentence = info->sentence, .source = info->source,
    };
    const char *pages[PAGES];
    unsigned count = rule_pages(info->source, pages, PAGES);
    for (unsigned i = 0; i < count; i++)
        snprintf(out->pages[i], sizeof out->pages[i], "%s", pages[i]);
    return true;
}

/* Is the object of this event a pool block? */
static bool is_about_block(const struct event *e)
{
    if (e->object == NONE)
        return false;
    if (e->kind == EV_ACCESS)
        return e->value <= ACCESS_PAGED;
    if (e->kind == EV_MISUSE)
        return e->value >= MISUSE_POOL_TAG && e->value <= MISUSE_POOL_FREE_IN_USE;
    return e->kind == EV_LEAK || e->kind == EV_RACE || e->kind == EV_FREE;
}

/* Append to a list in a text. */
static void list_add(char *list, size_t capacity, const char *item)
{
    size_t length = strlen(list);
    snprintf(list + length, capacity - length, "%s%s", length > 0 ? ", " : "", item);
}

/* The locks that a thread held when that many events had happened. */
static void locks_at(const struct event *log, unsigned events, unsigned thread, char *text, size_t capacity)
{
    const struct event *held[16];
    unsigned count = 0;
    for (unsigned i = 0; i < events; i++) {
        unsigned k = 0;
        if (log[i].thread != thread)
            continue;
        if (log[i].kind == EV_LOCK_ACQUIRE && count < sizeof held / sizeof *held)
            held[count++] = &log[i];
        while (log[i].kind == EV_LOCK_RELEASE && k < count && held[k]->object != log[i].object)
            k++;
        if (log[i].kind == EV_LOCK_RELEASE && k < count)
            memmove(&held[k], &held[k + 1], (--count - k) * sizeof *held);
    }
    for (unsigned k = 0; k < count; k++) {
        char item[48];
        snprintf(item, sizeof item, "%s %u", NAME(lock_names, held[k]->value), (unsigned)held[k]->object);
        list_add(text, capacity, item);
    }
}

/* What the thread was in then, innermost first. */
static void frames_at(const struct event *log, unsigned events, unsigned thread, char *text, size_t capacity)
{
    const struct event *stack[32];
    unsigned depth = 0;
    for (unsigned i = 0; i < events; i++) {
        if (log[i].thread != thread)
            continue;
        if (log[i].kind > EV_ENTER && log[i].kind < EV_LEAVE && depth < sizeof stack / sizeof *stack)
            stack[depth++] = &log[i];
        else if (log[i].kind > EV_LEAVE && log[i].kind < EV_LEAVE + FRAMES && depth > 0)
            depth--;
    }
    if (depth == 0)
        snprintf(text, capacity, "no callback");
    while (depth-- > 0) {
        char name[64];
        function_name(stack[depth], (enum frame)(stack[depth]->kind - EV_ENTER), name, sizeof name);
        list_add(text, capacity, name);
    }
}

/* One of the two accesses of a race. */
static struct report_place access_place(const struct event *log, unsigned kept, unsigned events, unsigned thread)
{
    struct report_place place = {.thread = (uint8_t)thread, .access = true};
    if (events > kept)
        events = kept;
    locks_at(log, events, thread, place.locks, sizeof place.locks);
    frames_at(log, events, thread, place.inside, sizeof place.inside);
    return place;
}

static unsigned race_places(const struct event *log, unsigned kept, uint32_t number, struct report_place *out)
{
    const struct event *e = &log[number];
    out[0] = access_place(log, kept, (unsigned)(e->c >> 16 & 0xFFFF), (unsigned)(e->c & 0xFF));
    out[0].event = REPORT_NO_EVENT;
    out[0].pc = (const void *)(uintptr_t)e->b;
    snprintf(out[0].what, sizeof out[0].what, "the earlier %s", access_name(e->c, 8));
    out[1] = access_place(log, kept, number, e->thread);
    out[1].event = number;
    snprintf(out[1].what, sizeof out[1].what, "this %s", access_name(e->c, 9));
    return 2;
}

static unsigned places(const struct event *log, unsigned kept, const struct finding *f,
                       struct report_place out[REPORT_PLACES_MAX])
{
    unsigned count = 0;
    if (f->event >= kept)
        return 0;
    const struct event *broken = &log[f->event];
    if (broken->kind == EV_RACE)
        count = race_places(log, kept, f->event, out);
    for (uint32_t i = 0; is_about_block(broken) && i < f->event && count < REPORT_PLACES_MAX; i++) {
        const struct event *e = &log[i];
        if ((e->kind != EV_ALLOC && e->kind != EV_FREE) || e->object != broken->object)
            continue;
        char tag[8];
        tag_text(e->b, tag);
        out[count] = (struct report_place){.event = i};
        snprintf(out[count++].what, sizeof out->what, "block %u (%lld bytes, tag %s) was %s", (unsigned)e->object,
                 (long long)e->value, tag, e->kind == EV_ALLOC ? "allocated" : "freed");
    }
    return count;
}

static const char *const own_folders[] = {
    "harness/", "model/kernel/", "model/nmr/", "model/peers/", "model/world.c", "fuzzers/", NULL,
};

struct report_words cli_words = {
    .tool = "nmrcheck", .own_folders = own_folders, .describe = describe, .level = level, .rule = rule,
    .places = places, .ending = cli_ending,
};
