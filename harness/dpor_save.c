/*
 * dpor_save.c - steps and wakeup trees as numbers in a file.
 *
 * Objects are saved by their names, since their numbers and those of footprints are each exploration's own.
 */
#include "dpor_node.h"
#include "dpor_touch.h"

void op_save(FILE *out, const struct op *op)
{
    unsigned count;
    const touch_type *touches = footprint_touches(op->footprint, &count);

    number_write(out, op->thread);
    number_write(out, (unsigned)(op->known | op->complete << 1 | op->enumerate << 2 | op->open << 3 |
                                 op->doubtful << 4 | op->held << 5 | op->vain << 6 | op->elsewhere << 7));
    number_write(out, op->answer_count);
    for (unsigned i = 0; i < op->answer_count; i++) {
        number_write(out, op->answers[i]);
        number_write(out, op->options[i]);
        number_write(out, op->questions[i]);
    }
    number_write(out, count);
    for (unsigned i = 0; i < count; i++) {
        number_write(out, touch_how(touches[i]));
        number_write(out, touch_name_of(touch_object(touches[i])));
    }
}

static uint32_t footprint_load(struct numbers *in)
{
    static touch_type touches[TOUCHES_MAX];
    unsigned count = (unsigned)number_read(in, TOUCHES_MAX);
    uint32_t footprint;

    for (unsigned i = 0; i < count; i++) {
        enum sched_touch how = (enum sched_touch)number_read(in, TOUCH_RELEASE);
        uint32_t object = touch_object_of(number_read(in, UINT64_MAX));

        in->bad |= object == TOUCH_NONE;
        touches[i] = touch_make(object, how);
    }
    footprint = in->bad ? 0 : footprint_of(touches, count);
    in->bad |= footprint == TOUCH_NONE;
    return in->bad ? 0 : footprint;
}

void op_load(struct numbers *in, struct op *op)
{
    unsigned flags;

    *op = (struct op){.thread = (uint8_t)number_read(in, THREADS_MAX - 1)};
    flags = (unsigned)number_read(in, 255);
    op->known = flags & 1;
    op->complete = flags & 2;
    op->enumerate = flags & 4;
    op->open = flags & 8;
    op->doubtful = flags & 16;
    op->held = flags & 32;
    op->vain = flags & 64;
    op->elsewhere = flags & 128;
    op->answer_count = (uint8_t)number_read(in, ANSWERS_MAX);
    for (unsigned i = 0; i < op->answer_count; i++) {
        op->answers[i] = (uint8_t)number_read(in, UINT8_MAX);
        op->options[i] = (uint8_t)number_read(in, UINT8_MAX);
        op->questions[i] = (uint16_t)number_read(in, UINT16_MAX);
    }
    op->footprint = footprint_load(in);
}

void tree_save(FILE *out, int list, unsigned level)
{
    for (int at = list; at != TREE_NONE; at = tree_pool[at].next) {
        number_write(out, level);
        op_save(out, &tree_pool[at].op);
        tree_save(out, tree_pool[at].first, level + 1);
    }
    if (level == 1)
        number_write(out, 0);
}

void tree_load(struct numbers *in, int *list)
{
    static int path[STEPS_MAX + 1];         /* the last node of each level */
    unsigned level, depth = 0;

    while ((level = (unsigned)number_read(in, depth < STEPS_MAX ? depth + 1 : depth)) > 0) {
        struct op op;

        op_load(in, &op);
        in->bad |= !tree_has_room(0);
        if (in->bad)
            return;
        path[level] = tree_append(level == 1 ? list : &tree_pool[path[level - 1]].first, &op);
        depth = level;
    }
}

void tally_save(FILE *out, const struct tally *t)
{
    for (unsigned c = 0; c < CLASSES; c++) {
        number_write(out, t->began[c]);
        number_write(out, t->before_child[c]);
        number_write(out, t->dull[c]);
    }
    number_write(out, t->dull_children);
}

void tally_load(struct numbers *in, struct tally *t)
{
    for (unsigned c = 0; c < CLASSES; c++) {
        t->began[c] = number_read(in, UINT64_MAX);
        t->before_child[c] = number_read(in, UINT64_MAX);
        t->dull[c] = number_read(in, UINT64_MAX);
    }
    t->dull_children = (unsigned)number_read(in, UINT32_MAX);
}
