/*
 * profile.c - what NMR chooses from.
 *
 * Each point that the documents leave open (ND-n of the contract) is a site; the profile says how many of its options
 * are open to choice.  A module has to work in every profile.
 *
 * WINDOWS  what the documents say and what Windows was seen to do (E1 ... E13): offers inside the registration, detach
 *          callbacks one after the other on the deregistering thread, STATUS_PENDING from each deregistration
 * STRICT   the documents only: an early completion is dropped (ND-9b), only STATUS_SUCCESS attaches (ND-20)
 * CHAOS    every option: offers on another thread (ND-2), detach callbacks in parallel or the second only after the
 *          first side is done (ND-6, ND-8), STATUS_SUCCESS from a deregistration that found nothing to do (ND-11)
 */
#include "choice.h"
#include "nmr/state.h"
#include "sites.h"

static enum nmr_profile profile;

void nmr_set_profile(enum nmr_profile p)
{
    profile = p;
}

bool profile_is(enum nmr_profile p)
{
    return profile == p;
}

unsigned profile_choose(enum site_number site)
{
    switch (site) {
    case SITE_ND_ATTACH_THREAD: case SITE_ND_DETACH_THREAD: case SITE_ND_DETACH_SECOND:
    case SITE_ND_DEREGISTER_STATUS: case SITE_ND_FAILED_CLEANUP:
        if (profile != PROFILE_CHAOS)
            return 0;
        break;
    default:
        break;
    }
    return choice_ask(CHOICE_SYSTEM, sched_self(), site, site_value_count(&model_words.sites[site]));
}
