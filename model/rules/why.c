/* why.c - why rules matter: what the broken rule does to a real machine. */
#include "rules.h"

#include <stddef.h>

static const char *const texts[RULES] = {
    [RULE_NONE] = "",
#define WHY(id, text) [RULE_##id] = text,
#include "why.def"
#undef WHY
};

const char *rule_why(enum rule rule)
{
    return texts[rule] != NULL ? texts[rule] : "";
}
