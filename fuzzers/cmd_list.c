/* cmd_list.c - nmrcheck list: the modules in this program. */
#include "cli.h"

#include <string.h>

static json_t *module_json(const struct module *m)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", output_json_text(m->image.name));
    json_t *faces = json_array();
    unsigned count;
    (void)world_program(m);
    const struct face *face = world_faces(&count);
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(faces, json_pack("{s:s, s:s}", "npi", face[i].npi->name, "role",
                                               face[i].side == SIDE_CLIENT ? "client" : "provider"));
    json_object_set_new(o, "faces", faces);
    json_object_set_new(o, "summary", output_json_text(m->summary != NULL ? m->summary : ""));
    json_object_set_new(o, "counterparts_max", json_integer(m->counterparts_max));
    if (m->parent != NULL)
        json_object_set_new(o, "mutant_of", output_json_text(m->parent));
    if (m->rule != NULL)
        json_object_set_new(o, "breaks_rule", output_json_text(m->rule));
    return o;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    if (key == ARGP_KEY_ARG)
        argp_failure(state, EXIT_TROUBLE, 0, "takes no argument: '%s'", argument);
    return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

int cmd_list(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse, .children = cli_children,
        .doc = "List the modules that were linked into this program.\v"
               "A mutant is a correct module with one deliberate mistake; the rule it breaks stands beside it.",
    };
    cli_parse(&argp, argc, argv, NULL);
    if (cli.json) {
        json_t *list = json_array();
        for (unsigned i = 0; i < module_count; i++)
            json_array_append_new(list, module_json(modules[i]));
        cli_print_json(list);
        return EXIT_CLEAN;
    }
    size_t width = 0;
    for (unsigned i = 0; i < module_count; i++)
        width = strlen(modules[i]->image.name) > width ? strlen(modules[i]->image.name) : width;
    for (unsigned i = 0; i < module_count; i++) {
        const struct module *m = modules[i];
        printf("%-*s  %-6s  %s\n", (int)width, m->image.name, m->rule != NULL ? m->rule : "",
               m->summary != NULL ? m->summary : "");
    }
    return EXIT_CLEAN;
}
