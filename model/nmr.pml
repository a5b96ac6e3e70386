/*
 * nmr.pml - the NMR contract as a Promela model, for SPIN.
 *
 * CLIENTS client modules and PROVIDERS provider modules of one NPI register, are attached to each other, deregister and
 * wait, all at once, and do whatever correct modules may do; NMR does whatever the contract lets it do.  Each promise
 * of NMR that the model covers is a guarantee(n, …), named after N-n of the contract, about what the modules saw.  That
 * nothing hangs (N-21, N-23, N-26, N-28) is the absence of invalid end states, together with that of cycles.
 *
 * Covered: N-3 to N-6, N-11 to N-15, N-17 to N-19, N-21 to N-29, N-31, N-32, N-34.  Left to the tests of the mock:
 * what is passed along (N-1, N-2, N-8 to N-10, N-33), IRQL (N-7, N-16, N-20), calls between the modules (N-30).
 *
 * One process is one module's thread, one binding as NMR sees it, one binding's cleanup, or one side's thread that
 * completes a pending detach.  A thread that is inside NMR waits for the binding's process; an atomic step is one
 * critical section of NMR together with the entry of the call that leads to it.  Choices of NMR (ND-n) and of the
 * modules are nondeterminism.  Cleanup on a process of its own stands for ND-10 altogether: that the completing thread
 * runs it is the schedule in which that thread does nothing meanwhile.  ND-6 is the order of the two detach callbacks;
 * running them in parallel, or the second only after the first side has completed, is not in the model.
 *
 * The tests, in model/tests/spin: guarantees.sh, broken.sh, and orders.sh, by which the mock shows modules the same.
 *
 * -D   CLIENTS=n PROVIDERS=n   1 to 3 of each
 *      ROUNDS=n                each module registers that often
 *      FAIL                    registering may fail
 *      EARLY                   a module may complete its detach before it is asked to (E11)
 *      INSIDE                  a module may complete its detach inside its callback
 *      OMIT                    a module may have no cleanup callback
 *      STAY                    a module may never deregister
 *      PATIENT                 a pending detach is completed only when nobody is inside NmrDeregister…
 *      FOCUS                   only the first binding has choices; callbacks of the others take no time (-DNOREDUCE)
 *      BROKEN=n                an NMR that breaks N-n: SPIN must say so
 *      RECORD                  print what the modules saw, once for each different sequence (one pair, one round)
 */
#ifndef CLIENTS
#define CLIENTS 1
#endif
#ifndef PROVIDERS
#define PROVIDERS 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef BROKEN
#define BROKEN 0
#endif
#ifdef FAIL
#define MAY_FAIL true
#else
#define MAY_FAIL false
#endif
#ifdef EARLY
#define MAY_COMPLETE_EARLY true
#else
#define MAY_COMPLETE_EARLY false
#endif
#ifdef INSIDE
#define MAY_COMPLETE_INSIDE true
#else
#define MAY_COMPLETE_INSIDE false
#endif
#ifdef OMIT
#define MAY_OMIT true
#else
#define MAY_OMIT false
#endif
#ifdef STAY
#define MAY_STAY true
#else
#define MAY_STAY false
#endif
#ifdef FOCUS
#define free(b) ((b) == 0)
#else
#define free(b) true
#endif
#ifdef PATIENT
#define may_complete_now (inside_deregister == 0)
#else
#define may_complete_now true
#endif

/* Modules: clients, then providers.  Bindings: one for each pair.  Sides: two for each binding, the client's is even. */
#define MODULES         (CLIENTS + PROVIDERS)
#define BINDINGS        (CLIENTS * PROVIDERS)
#define SIDES           (2 * BINDINGS)
#define client_of(b)    ((b) / PROVIDERS)
#define provider_of(b)  (CLIENTS + (b) % PROVIDERS)
#define client_side(b)  (2 * (b))
#define provider_side(b) (2 * (b) + 1)
#define module_of(s)    ((s) % 2 * provider_of((s) / 2) + (1 - (s) % 2) * client_of((s) / 2))
#define other(s)        ((s) ^ 1)
#define is_client(m)    ((m) < CLIENTS)
#define counterparts(m) (is_client(m) -> PROVIDERS : CLIENTS)
/* The i-th counterpart of a module, the binding to it, and the module's side of that. */
#define counterpart(m, i) (is_client(m) -> CLIENTS + (i) : (i))
#define binding_to(m, i) (is_client(m) -> (m) * PROVIDERS + (i) : (i) * PROVIDERS + (m) - CLIENTS)
#define side_to(m, i)   (2 * binding_to(m, i) + !is_client(m))

/* ---- what NMR knows */

#define UNLISTED        0
#define LISTED          1       /* it is offered to, and is offered, counterparts */
#define DEREGISTERING   2
#define DRAINED         3       /* no binding is left */
#define CLOSED          4
byte registration[MODULES];
byte bindings_left[MODULES];    /* not gone */

#define NONE            0
#define OFFERED         1       /* inside ClientAttachProvider */
#define ACCEPTED        2       /* the provider attached */
#define ATTACHED        3
#define DETACHING       4
#define CLEANUP         5
#define GONE            6
byte binding[BINDINGS];

#define NOBODY          0
#define REGISTERER      1
#define DEREGISTERER    2
byte inside[BINDINGS];          /* who waits in NMR until it is out of this binding's callbacks */

#define NOT_CALLED      0
#define IN_CALL         1
#define PENDING         2
#define DONE            3
byte detach[SIDES];
bool latched[SIDES];            /* completed before the callback had returned (E10, E11) */
bool returning[SIDES];          /* NMR is inside the detach callback */
bool clean[BINDINGS];           /* both cleanup callbacks have returned */
byte inside_deregister;         /* threads in NmrDeregister… */
bool locked;                    /* BROKEN=28 only */

/* ---- what the modules know */

bool failed[MODULES];           /* registering did */
bool begun[MODULES];            /* deregistering has */
bool omitted[MODULES];          /* no cleanup callback */
byte expected[BINDINGS];        /* 1 + the module that registered second, until it was offered */
bool offered[BINDINGS];
bool attaching[BINDINGS];       /* ClientAttachProvider runs */
bool attached[SIDES];
bool called[SIDES];             /* the detach callback was */
bool running[SIDES];            /* it has not returned */
bool early[SIDES];              /* completed, or about to be, before it was called */
bool owed[SIDES];               /* another thread completes it */
bool done[SIDES];               /* returned STATUS_SUCCESS, or completed */
bool cleaned[SIDES];            /* the cleanup callback was called */
bool cleaning[SIDES];           /* it has not returned */
byte finished;                  /* modules that did all they wanted */

#define guarantee(n, condition) assert((n) && (condition))

/* ---- recording */

#define REGISTER        0
#define ATTACH          1
#define ACCEPT          2
#define REFUSE          3
#define DEREGISTER      4
#define DETACH          5
#define DETACH_SUCCESS  6
#define DETACH_PENDING  7
#define COMPLETE        8
#define CLEAN           9
#define CLEAN_END       10
#define WAITED          11
#ifdef RECORD
#define RECORD_MAX 32
byte seen[RECORD_MAX];
byte recorded;
#define record(event, m) seen[recorded] = 2 * (event) + !is_client(m); recorded++
c_decl {
    static const char *const words[] = {
        "register", "attach", "attach=success", "attach=refused", "deregister", "detach", "detach=success",
        "detach=pending", "complete", "cleanup", "cleaned", "wait=success"};
}
#else
#define record(event, m) skip
#endif

/* ---- NMR: the end of a binding.  All of it inside atomic steps. */

inline drain(m)
{
    if
    :: registration[m] == DEREGISTERING && bindings_left[m] == 0 -> registration[m] = DRAINED
    :: else
    fi
}

inline drop(m)
{
    bindings_left[m]--;
    drain(m)
}

inline gone(b)
{
    binding[b] = GONE;
    if
    :: BROKEN != 22 && (BROKEN != 24 || !attached[client_side(b)]) -> drop(client_of(b)); drop(provider_of(b))
    :: else
    fi
}

/* Cleaned up, and no detach callback has yet to return (N-27). */
inline end_binding(b)
{
    if
    :: binding[b] == CLEANUP && clean[b] &&
       (BROKEN == 27 || !returning[client_side(b)] && !returning[provider_side(b)]) -> gone(b)
    :: else
    fi
}

/* Whoever makes the second side done brings on the cleanup. */
inline side_done(s)
{
    detach[s] = DONE;
    if
    :: BROKEN == 22 -> drop(module_of(s))
    :: else
    fi;
    if
    :: detach[other(s)] == DONE || BROKEN == 18 && detach[other(s)] == PENDING ->
        binding[(s) / 2] = CLEANUP;
        if
        :: BROKEN == 24 -> drop(client_of((s) / 2)); drop(provider_of((s) / 2))
        :: else
        fi
    :: else
    fi
}

/* Nmr…Complete.  Inside the detach callback it counts at once (ND-9a); one that waits until the callback has returned
 * is one whose cleanup is slow. */
inline complete(s)
{
    record(COMPLETE, module_of(s));
    guarantee(32, binding[(s) / 2] > NONE && binding[(s) / 2] < GONE);
    done[s] = true;
    if
    :: detach[s] == NOT_CALLED -> latched[s] = true
    :: detach[s] == IN_CALL && BROKEN == 21
    :: detach[s] == IN_CALL && BROKEN != 21 || detach[s] == PENDING -> side_done(s)
    fi
}

/* ---- NMR: one binding */

proctype binding_of_pair(byte b)
{
    bool accepts, says, completes;
    byte s, turn;

end_unused:
    atomic {
        binding[b] == OFFERED || BROKEN == 32 && inside[b] == REGISTERER ->
        if
        :: BROKEN == 5 -> goto propose
        :: else
        fi;
        /* ClientAttachProvider */
        guarantee(34, !failed[client_of(b)] && !failed[provider_of(b)]);
        attaching[b] = true;
        record(ATTACH, client_of(b));
        if
        :: true             /* it calls NmrClientAttachProvider */
        :: free(b) -> goto answered
        fi
    }
propose:
    atomic {
        /* ProviderAttachClient */
        guarantee(32, binding[b] == OFFERED);
        guarantee(5, attaching[b]);
        if
        :: says = true; record(ACCEPT, provider_of(b))
        :: free(b) -> says = false; record(REFUSE, provider_of(b))
        fi;
        attached[provider_side(b)] = says;
        accepts = says || BROKEN == 6;
        guarantee(6, accepts == says);
        says = false;
        if
        :: BROKEN == 17 && accepts && (begun[client_of(b)] || begun[provider_of(b)]) ->
            attached[client_side(b)] = true;
            binding[b] = DETACHING;
            goto detaching
        :: else
        fi
    }
answered:
    /* ClientAttachProvider returns.  A late comer is detached on the same thread (E3). */
    atomic {
        attaching[b] = false;
        attached[client_side(b)] = accepts;
        if
        :: accepts -> record(ACCEPT, client_of(b))
        :: else -> record(REFUSE, client_of(b))
        fi;
        if
        :: accepts && BROKEN != 26 &&
           (registration[client_of(b)] != LISTED || registration[provider_of(b)] != LISTED) -> binding[b] = DETACHING
        :: accepts && (BROKEN == 26 ||
           registration[client_of(b)] == LISTED && registration[provider_of(b)] == LISTED) ->
            binding[b] = ATTACHED;
            inside[b] = NOBODY;
            accepts = false
        :: !accepts ->
            inside[b] = NOBODY;
            if
            :: BROKEN == 11 -> binding[b] = CLEANUP
            :: BROKEN == 12 && binding[b ^ 1] == ATTACHED -> gone(b); binding[b ^ 1] = DETACHING
            :: else -> gone(b)
            fi;
            goto end_unused
        fi
    }
detaching:
end_attached:
    /* ND-6: in either order. */
    atomic {
        binding[b] == DETACHING ->
        accepts = false;
        if
        :: s = client_side(b)
        :: free(b) -> s = provider_side(b)
        fi;
        goto detach_side
    }
detach_side:
    /* ClientDetachProvider, ProviderDetachClient */
    atomic {
        if
        :: BROKEN == 13 && s % 2 -> side_done(s); goto next_side
        :: BROKEN == 28 && locked -> false
        :: else -> locked = BROKEN == 28
        fi;
        guarantee(11, attached[s]);
        guarantee(12, begun[client_of(b)] || begun[provider_of(b)]);
        guarantee(14, !called[s]);
        guarantee(17, !attaching[b]);
        detach[s] = IN_CALL;
        returning[s] = true;
        called[s] = true;
        running[s] = true;
        record(DETACH, module_of(s));
        says = true;            /* STATUS_PENDING */
        if
        :: early[s]
        :: !early[s] -> says = false
        :: !early[s] && free(b) -> owed[s] = true
        :: !early[s] && MAY_COMPLETE_INSIDE -> completes = true
        fi
    }
    if
    :: completes -> atomic { BROKEN != 28 || !locked -> complete(s); completes = false }
    :: else
    fi;
    /* It returns; a completion may have been quicker. */
    atomic {
        running[s] = false;
        locked = false;
        if
        :: says -> record(DETACH_PENDING, module_of(s))
        :: else -> done[s] = true; record(DETACH_SUCCESS, module_of(s))
        fi;
        returning[s] = false;
        if
        :: detach[s] == DONE && BROKEN != 19 -> end_binding(b)
        :: detach[s] == DONE && BROKEN == 19 -> clean[b] = false; side_done(s)
        :: detach[s] == IN_CALL && says && !latched[s] -> detach[s] = PENDING
        :: detach[s] == IN_CALL && !(says && !latched[s]) -> side_done(s)
        fi;
        says = false;
next_side:
        turn++;
        if
        :: turn == 1 -> s = other(s); goto detach_side
        :: turn == 2 && BROKEN == 14 && begun[client_of(b)] && begun[provider_of(b)] -> goto detach_side
        :: else
        fi;
        inside[b] = NOBODY;
        s = 0;
        turn = 0;
        goto end_unused
    }
}

/* ClientCleanupBindingContext and ProviderCleanupBindingContext, in either order (ND-10). */
proctype cleanup_of_pair(byte b)
{
    byte s, turn;

end_unused:
    atomic {
        binding[b] == CLEANUP && !clean[b] ->
        if
        :: s = client_side(b)
        :: free(b) -> s = provider_side(b)
        fi;
        goto clean_side
    }
clean_side:
    atomic {
        if
        :: omitted[module_of(s)] -> goto next_side
        :: else
        fi;
        guarantee(11, attached[s]);
        guarantee(13, called[s] && called[other(s)]);
        guarantee(18, done[s] && done[other(s)]);
        guarantee(19, !cleaned[s]);
        cleaned[s] = true;
        cleaning[s] = true;
        record(CLEAN, module_of(s))
    }
    atomic {
        cleaning[s] = false;
        record(CLEAN_END, module_of(s));
next_side:
        turn++;
        if
        :: turn == 1 -> s = other(s); goto clean_side
        :: else
        fi;
        s = 0;
        turn = 0;
        clean[b] = true;
        end_binding(b);
        goto end_unused
    }
}

/* ---- modules */

/* The thread that completes a detach which the callback left pending, before that has returned or after. */
proctype completer(byte s)
{
end_unused:
    atomic {
        owed[s] && may_complete_now ->
        owed[s] = false;
        complete(s);
        goto end_unused
    }
}

/* N-3, N-4: the pair is offered by whichever of the two came later, unless one has begun to deregister (N-25). */
inline offer(b)
{
    if
    :: registration[client_of(b)] == LISTED && registration[provider_of(b)] == LISTED ||
       BROKEN == 25 && registration[client_of(b)] != UNLISTED && registration[provider_of(b)] != UNLISTED ->
        guarantee(4, !offered[b]);
        guarantee(25, !begun[client_of(b)] && !begun[provider_of(b)]);
        offered[b] = true;
        expected[b] = 0;
        bindings_left[client_of(b)]++;
        bindings_left[provider_of(b)]++;
        clean[b] = false;
        s = client_side(b);
        do
        :: s <= provider_side(b) ->
            detach[s] = NOT_CALLED;
            latched[s] = false;
            attached[s] = false;
            called[s] = false;
            early[s] = false;
            done[s] = false;
            cleaned[s] = false;
            s++
        :: else -> break
        od;
        s = 0;
        inside[b] = REGISTERER;
        binding[b] = (BROKEN == 32 -> NONE : OFFERED)
    :: else
    fi
}

/*
 * A step of a module goes on until it has to wait for a callback, or meets something that others can observe.  Entering
 * the table and looking who is there are one step of NMR.
 */
proctype module(byte m)
{
    byte i, b, s, there, round;
    bool ok;

    goto register;
pause:
    skip;                           /* BROKEN=4: others may come in between */
    goto look;

register:
    /* NmrRegister… */
    atomic {
        record(REGISTER, m);
        begun[m] = false;
        ok = BROKEN != 31 || round == 0;
        if
        :: registration[m] = LISTED
        :: MAY_FAIL ->
            failed[m] = true;
            registration[m] = (BROKEN == 34 -> LISTED : UNLISTED);
            goto end
        fi;
        if
        :: BROKEN == 4 -> goto pause
        :: else
        fi;
look:
        i = 0;
        do
        :: i < counterparts(m) ->
            if
            :: registration[counterpart(m, i)] == LISTED -> there = there | (1 << i); expected[binding_to(m, i)] = m + 1
            :: else
            fi;
            i++
        :: else -> break
        od;
        there = (BROKEN == 3 && !is_client(m) -> 0 : there);
        do
        :: there ->                 /* ND-3: in any order */
            if
            :: there & 1 -> i = 0
            :: there & 2 -> i = 1
            :: there & 4 -> i = 2
            fi;
            there = there & ~(1 << i);
            b = binding_to(m, i);
            offer(b);
            inside[b] != REGISTERER;
            ok = ok && !(BROKEN == 29 && binding[b] == GONE && !attached[client_side(b)])
        :: else -> break
        od;
        guarantee(29, ok || BROKEN == 31);
        guarantee(31, ok || BROKEN == 29);
        i = 0;
        do
        :: i < counterparts(m) ->
            guarantee(3, expected[binding_to(m, i)] != m + 1 || begun[counterpart(m, i)]);
            i++
        :: else -> break
        od;
        i = 0; b = 0; ok = false;
        if
        :: MAY_STAY -> goto end
        :: true
        fi
    }

    /* E11: a module may complete what nobody has asked for yet. */
    do
    :: MAY_COMPLETE_EARLY && i < counterparts(m) ->
        atomic {
            s = side_to(m, i);
            i++;
            if
            :: attached[s] && !attaching[s / 2] && !called[s] && !early[s] -> early[s] = true
            :: goto not_early
            fi
        }
        atomic { complete(s) }
not_early:
        skip
    :: else -> break
    od;

    atomic {
        /* NmrDeregister…: starts the detach of what is attached, and waits for no completion (N-23). */
        record(DEREGISTER, m);
        begun[m] = true;
        registration[m] = DEREGISTERING;
        inside_deregister++;
        i = 0;
        do
        :: i < counterparts(m) ->
            b = binding_to(m, i);
            expected[b] = 0;
            if
            :: binding[b] == ATTACHED -> inside[b] = DEREGISTERER; binding[b] = DETACHING
            :: else
            fi;
            inside[b] != DEREGISTERER;
            i = (BROKEN == 15 && detach[side_to(m, i)] == PENDING -> counterparts(m) : i + 1)
        :: else -> break
        od;
        drain(m);
        i = 0;
        do
        :: i < counterparts(m) -> guarantee(15, binding[binding_to(m, i)] != ATTACHED); i++
        :: else -> break
        od;
        BROKEN != 23 || registration[m] == DRAINED;
        inside_deregister--;
        i = 0; b = 0; s = 0
    }

    /* NmrWaitFor…DeregisterComplete */
    atomic {
        registration[m] == DRAINED ->
        registration[m] = CLOSED;
        record(WAITED, m);
        do
        :: i < counterparts(m) ->
            s = side_to(m, i);
            if
            :: attached[s] ->
                guarantee(22, done[s] && done[other(s)]);
                guarantee(24, (cleaned[s] || omitted[m]) && (cleaned[other(s)] || omitted[counterpart(m, i)]));
                guarantee(27, !running[s] && !running[other(s)] && !cleaning[s] && !cleaning[other(s)])
            :: else
            fi;
            offered[s / 2] = false;
            i++
        :: else -> break
        od;
        i = 0; s = 0;
        round++;
        if
        :: round < ROUNDS -> goto register
        :: else
        fi;
end:
        finished++
    }
}

init
{
    byte i;

    atomic {
        do
        :: i < MODULES ->
            run module(i);
            if
            :: MAY_OMIT -> omitted[i] = true
            :: true
            fi;
            i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < BINDINGS ->
            if
            :: free(i) ->
                run binding_of_pair(i);
                run cleanup_of_pair(i);
                run completer(client_side(i));
                run completer(provider_side(i))
#ifdef FOCUS
            :: else ->
                run binding_of_pair(i) priority 2;
                run cleanup_of_pair(i) priority 2
#endif
            fi;
            i++
        :: else -> break
        od;
        i = 0
    }
#ifdef RECORD
    finished == MODULES;
    c_code {
        for (int i = 0; i < now.recorded; i++)
            printf("%s%c.%s", i ? " " : "", now.seen[i] % 2 ? 'P' : 'C', words[now.seen[i] / 2]);
        printf("\n");
    }
#endif
}
